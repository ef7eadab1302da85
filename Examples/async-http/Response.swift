import FoundationEssentials

/// A status of a response.
///
/// It is thrown to refuse a request and to close its connection.
struct Status: Error {
    let code: Int
    let reason: String

    static let ok = Status(code: 200, reason: "OK")
    static let badRequest = Status(code: 400, reason: "Bad Request")
    static let notFound = Status(code: 404, reason: "Not Found")
    static let methodNotAllowed = Status(code: 405, reason: "Method Not Allowed")
    static let timeout = Status(code: 408, reason: "Request Timeout")
    static let contentTooLarge = Status(code: 413, reason: "Content Too Large")
    static let expectationFailed = Status(code: 417, reason: "Expectation Failed")
    static let fieldsTooLarge = Status(code: 431, reason: "Request Header Fields Too Large")
    static let notImplemented = Status(code: 501, reason: "Not Implemented")
    static let versionNotSupported = Status(code: 505, reason: "HTTP Version Not Supported")
}

struct Response {
    var status = Status.ok
    /// The methods that the resource allows, for the status 405.
    var allowed: String?
    var body: [UInt8]

    /// A response whose body is the status.
    init(_ status: Status, allowed: String? = nil) {
        self.status = status
        self.allowed = allowed
        body = Array("\(status.code) \(status.reason)\n".utf8)
    }

    init(body: [UInt8]) {
        self.body = body
    }

    /// Appends the bytes of the response to `output`.
    ///
    /// - Parameters:
    ///   - output: The buffer to append to.
    ///   - hasBody: Whether to append the body; `false` for a response to HEAD.
    ///   - keepsAlive: Whether the connection remains open.
    func write(to output: inout [UInt8], hasBody: Bool = true, keepsAlive: Bool) {
        output +=
            """
            HTTP/1.1 \(status.code) \(status.reason)\r
            Date: \(httpDate(Date.now))\r
            Content-Type: text/plain; charset=utf-8\r
            Content-Length: \(body.count)\r
            Connection: \(keepsAlive ? "keep-alive" : "close")\r

            """.utf8
        if let allowed { output += "Allow: \(allowed)\r\n".utf8 }
        output += "\r\n".utf8
        if hasBody { output += body }
    }
}

/// Returns a time as in `Sun, 06 Nov 1994 08:49:37 GMT`; see RFC 9110, section 5.6.7.
func httpDate(_ date: Date) -> String {
    let seconds = Int(date.timeIntervalSince1970)
    let days = seconds / 86_400
    // The date in the Gregorian calendar, whose years begin with March here, in eras of 400 years.
    let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
    let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = [
        "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb",
    ]
    let twoDigits = { (number: Int) in (number < 10 ? "0" : "") + String(number) }
    let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(twoDigits)
    return "\(weekdays[(days + 4) % 7]), \(twoDigits(day)) \(months[month]) "
        + "\(year + era * 400 + (month >= 10 ? 1 : 0)) \(time.joined(separator: ":")) GMT"
}
