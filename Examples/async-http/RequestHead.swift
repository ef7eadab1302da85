/// The request line and the fields of a request that this server understands.
///
/// Requests that another server could understand differently are refused, because clients use them
/// to smuggle requests past a proxy: see RFC 9112, sections 6 and 11.
struct RequestHead {
    enum Body {
        case length(Int)
        case chunked
    }

    let method: String
    /// The target without its query.
    let path: String
    private(set) var body = Body.length(0)
    /// Whether the connection remains open after the response.
    private(set) var keepsAlive: Bool
    /// Whether the client waits for "100 Continue" before it sends the body.
    private(set) var expectsContinue = false

    private let isHTTP10: Bool
    private var hasHost = false
    private var hasLength = false

    /// Parses a request line.
    init(_ line: String) throws(Status) {
        let words = line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map { String($0) ?? "" }
        guard words.count == 3, words[0].isToken, !words[1].isEmpty else { throw .badRequest }
        guard let version = words[2].httpVersion else { throw .badRequest }
        guard version.major == 1 else { throw .versionNotSupported }
        method = words[0]
        path = words[1].path
        isHTTP10 = version.minor == 0
        keepsAlive = !isHTTP10
    }

    /// Parses a field, such as `Host: example.org`.
    mutating func add(_ line: String) throws(Status) {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw .badRequest }
        let name = line[..<colon]
        // Refuses a continued line, which begins with a space, and a space before the colon.
        guard name.isToken else { throw .badRequest }
        let value = line[line.utf8.index(after: colon)...].trimmed
        switch name.lowercased() {
        case "host":
            guard !hasHost else { throw .badRequest }
            hasHost = true
        case "content-length":
            guard !hasLength, case .length = body, value.isNumber else { throw .badRequest }
            guard let count = Int(value) else { throw .contentTooLarge }
            body = .length(count)
            hasLength = true
        case "transfer-encoding":
            guard !hasLength, !isHTTP10, case .length = body else { throw .badRequest }
            guard value.lowercased() == "chunked" else { throw .notImplemented }
            body = .chunked
        case "connection":
            for option in value.split(separator: ",").map({ $0.trimmed.lowercased() }) {
                if option == "close" { keepsAlive = false }
                if option == "keep-alive", isHTTP10 { keepsAlive = true }
            }
        case "expect":
            guard value.lowercased() == "100-continue" else { throw .expectationFailed }
            expectsContinue = !isHTTP10
        default:
            break
        }
    }

    /// Checks the head as a whole, after its last field.
    func validate() throws(Status) {
        guard hasHost || isHTTP10 else { throw .badRequest }
    }
}

extension StringProtocol {
    /// Whether this is a method or the name of a field; see RFC 9110, section 5.6.2.
    fileprivate var isToken: Bool {
        !isEmpty
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// Whether this is one or more digits; `Int` would also accept a sign.
    fileprivate var isNumber: Bool {
        !isEmpty && utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// This without spaces and tabs at both ends.
    fileprivate var trimmed: SubSequence {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        guard let end = lastIndex(where: { !isSpace($0) }) else { return prefix(0) }
        return self[...end].drop(while: isSpace)
    }
}

extension String {
    /// The version in `HTTP/1.1`.
    fileprivate var httpVersion: (major: Int, minor: Int)? {
        let bytes = Array(utf8)
        guard bytes.count == 8, hasPrefix("HTTP/"), bytes[6] == UInt8(ascii: "."),
            let major = Int(String(decoding: bytes[5..<6], as: UTF8.self)),
            let minor = Int(String(decoding: bytes[7..<8], as: UTF8.self))
        else { return nil }
        return (major, minor)
    }

    /// The path of a target such as `/search?q=swift` or `http://example.org/`.
    fileprivate var path: String {
        var target = self[...]
        if lowercased().hasPrefix("http://") {
            target = target.dropFirst(7).drop { $0 != "/" }
            if target.isEmpty { target = "/" }
        }
        return String(target.prefix { $0 != "?" })
    }
}
