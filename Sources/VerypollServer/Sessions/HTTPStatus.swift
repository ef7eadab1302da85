/// The status codes of the responses, by their numbers in RFC 9110.
enum HTTPStatus: Int, Error {
    case ok = 200
    case notModified = 304
    case badRequest = 400
    case notFound = 404
    case methodNotAllowed = 405
    case targetTooLong = 414
    case headTooLarge = 431
    case unavailable = 503
    case versionNotSupported = 505

    /// The reason phrase.
    var reason: String {
        switch self {
        case .ok: "OK"
        case .notModified: "Not Modified"
        case .badRequest: "Bad Request"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .targetTooLong: "URI Too Long"
        case .headTooLarge: "Request Header Fields Too Large"
        case .unavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        }
    }
}
