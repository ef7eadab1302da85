/// What the head of an HTTP/1 request asks for, where all there is to have is `/metrics`.
///
/// The reading is as strict as RFC 9112 lets a server be: a line ends with CR and LF and nothing
/// else, there is no folding, no blank before a colon, and one `Host`. A body is refused, as GET
/// and HEAD have no use for one.
struct RequestHead: Equatable, Sendable {
    /// The most bytes that a head may have; documented in verypolld's README.
    static let byteLimit = 8 * 1024

    /// Whether only the head of the answer is wanted.
    var isHead = false

    /// Whether the connection is to stay open behind the answer.
    var isPersistent = true

    /// Whether the client would rather have OpenMetrics than the classic text.
    var prefersOpenMetrics = false

    /// What bytes begin with.
    enum Finding: Equatable {
        /// With no more than the beginning of a head.
        case incomplete
        /// With a head of so many bytes, that of a request to be granted.
        case complete(RequestHead, byteCount: Int)
        /// With what is no head, or that of a request which cannot be granted; `isHead` tells that
        /// the answer may have no body.
        case refused(HTTPStatus, isHead: Bool)
    }

    /// Looks at all the bytes of a connection that came behind the request before.
    ///
    /// What is found does not change with the bytes that follow, unless it is `incomplete`.
    static func parse(_ bytes: Span<UInt8>) -> Finding {
        var reading = HeadReading()
        do throws(HTTPStatus) {
            let window = bytes.extracting(first: min(bytes.count, byteLimit))
            if let count = try reading.read(window) {
                return .complete(try reading.head, byteCount: count)
            }
            guard bytes.count < byteLimit else {
                throw reading.hasRequestLine ? .headTooLarge : .targetTooLong
            }
            return .incomplete
        } catch {
            return .refused(error, isHead: reading.method == .head)
        }
    }
}

/// How far the reading of a head has come.
private struct HeadReading {
    enum Method {
        case get
        case head
        case other
    }

    var method: Method?
    var hasRequestLine: Bool { method != nil }
    private var isServed = false
    /// Whether it is of HTTP/1.0, which knows neither Host nor connections that stay.
    private var isOld = false
    private var hasHost = false
    private var hasBody = false
    private var closes = false
    private var accepted = AcceptedFormats()

    /// Reads lines up to the empty one, and returns where that ends; `nil` if it has not come yet.
    mutating func read(_ bytes: Span<UInt8>) throws(HTTPStatus) -> Int? {
        var start = 0
        while let end = try lineEnd(in: bytes, from: start) {
            let line = bytes.extracting(start..<end)
            start = end + 2
            if !hasRequestLine {
                // Empty lines before a request are to be overlooked; RFC 9112, 2.2.
                if !line.isEmpty { try readRequestLine(line) }
            } else if line.isEmpty {
                return start
            } else {
                try readField(line)
            }
        }
        return nil
    }

    /// The head that was read, if the request can be granted.
    var head: RequestHead {
        get throws(HTTPStatus) {
            guard hasHost || isOld else { throw .badRequest }
            guard method != .other else { throw .methodNotAllowed }
            guard isServed else { throw .notFound }
            guard !hasBody else { throw .badRequest }
            return RequestHead(
                isHead: method == .head,
                isPersistent: !closes && !isOld,
                prefersOpenMetrics: accepted.prefersOpenMetrics
            )
        }
    }

    private mutating func readRequestLine(_ line: Span<UInt8>) throws(HTTPStatus) {
        guard let first = line.firstIndex(of: .space) else { throw .badRequest }
        let word = line.extracting(..<first)
        let rest = line.extracting((first + 1)...)
        guard let second = rest.firstIndex(of: .space) else { throw .badRequest }
        let target = rest.extracting(..<second)
        let version = rest.extracting((second + 1)...)
        guard word.isToken, !target.isEmpty, target.consists(of: { (0x21...0x7E).contains($0) })
        else { throw .badRequest }
        try readVersion(version)
        // The names of methods have a case; RFC 9110, 9.1.
        method = word.isExactly("GET") ? .get : word.isExactly("HEAD") ? .head : .other
        if method != .other { isServed = try isMetrics(target) }
    }

    private mutating func readVersion(_ text: Span<UInt8>) throws(HTTPStatus) {
        guard text.count == 8, text.extracting(..<5).isExactly("HTTP/"), text[5].isDigit,
            text[6] == UInt8(ascii: "."), text[7].isDigit
        else { throw .badRequest }
        guard text[5] == UInt8(ascii: "1") else { throw .versionNotSupported }
        isOld = text[7] == UInt8(ascii: "0")
    }

    /// Whether a target, in origin-form or absolute-form, is `/metrics`, whatever query follows.
    private func isMetrics(_ target: Span<UInt8>) throws(HTTPStatus) -> Bool {
        let query = target.firstIndex(of: UInt8(ascii: "?")) ?? target.count
        let address = target.extracting(..<query)
        if address.first == UInt8(ascii: "/") { return address.isExactly("/metrics") }
        guard address.count > 7, address.extracting(..<7).isWord("http://") else {
            throw .badRequest
        }
        let rest = address.extracting(7...)
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.count
        let host = rest.extracting(..<slash)
        guard !host.isEmpty, host.isHost else { throw .badRequest }
        return rest.extracting(slash...).isExactly("/metrics")
    }

    private mutating func readField(_ line: Span<UInt8>) throws(HTTPStatus) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .badRequest }
        // A line that goes on with the one before begins with a blank, which is in no name.
        let name = line.extracting(..<colon)
        guard name.isToken else { throw .badRequest }
        let value = line.extracting(line.trimmed(from: colon + 1))
        if name.isWord("host") {
            guard !hasHost, value.isHost else { throw .badRequest }
            hasHost = true
        } else if name.isWord("connection") {
            value.forEachElement(separatedBy: UInt8(ascii: ",")) { element in
                if element.isWord("close") { closes = true }
            }
        } else if name.isWord("content-length") {
            guard !value.isEmpty, value.consists(of: \.isDigit) else { throw .badRequest }
            if !value.consists(of: { $0 == UInt8(ascii: "0") }) { hasBody = true }
        } else if name.isWord("transfer-encoding") {
            hasBody = true
        } else if name.isWord("accept") {
            accepted.read(value)
        }
    }

    /// Where the line ends that begins at `start`; `nil` if its CR and LF have not come yet.
    private func lineEnd(in bytes: Span<UInt8>, from start: Int) throws(HTTPStatus) -> Int? {
        for index in start..<bytes.count {
            switch bytes[index] {
            case .tab, 0x20...0x7E, 0x80...0xFF: continue
            case .carriageReturn:
                guard index + 1 < bytes.count else { return nil }
                guard bytes[index + 1] == .lineFeed else { throw .badRequest }
                return index
            default: throw .badRequest
            }
        }
        return nil
    }
}
