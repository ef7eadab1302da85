/// The head of an HTTP/1 request to a server whose resources are those of ``ReportKind``.
///
/// The parser is as strict as RFC 9112 allows: a line must end with CR and LF, field lines may not
/// be folded, no blank may precede a colon, and there must be exactly one `Host` field. A request
/// with a body is refused, because GET and HEAD need none.
struct RequestHead: Equatable, Sendable {
    /// The most bytes that a head may have; the operators' documentation states this number.
    static let byteLimit = 8 * 1024

    /// Whether the method is HEAD, so that the response has no body.
    var isHead = false

    /// Whether the connection stays open after the response.
    var isPersistent = true

    /// The requested resource.
    var kind = ReportKind.metrics(.classic)

    /// The conditions of `If-None-Match`: an asterisk, or entity tags in their quotation marks.
    var knownTags: [String] = []

    /// The result of parsing the first bytes of the input.
    enum Finding: Equatable {
        /// The head is valid so far, but not complete.
        case incomplete
        /// The head is complete, has this many bytes, and the request can be granted.
        case complete(RequestHead, byteCount: Int)
        /// The head is malformed, or the request cannot be granted; if `isHead` is true, the
        /// response must not have a body.
        case refused(HTTPStatus, isHead: Bool)
    }

    /// Parses the bytes that a connection has received after the previous request.
    ///
    /// The result does not depend on later bytes, unless it is `incomplete`.
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

/// The state of parsing a head.
private struct HeadReading {
    enum Method {
        case get
        case head
        case other
    }

    /// The most entity tags that are kept; a client that has more gets the whole resource.
    static let tagLimit = 8

    var method: Method?
    var hasRequestLine: Bool { method != nil }
    /// The path of the target; `nil` if the target is not a path.
    private var path: [UInt8]?
    /// Whether the version is HTTP/1.0, which has neither `Host` nor persistent connections.
    private var isOld = false
    private var hasHost = false
    private var hasBody = false
    private var closes = false
    private var accepted = AcceptedFormats()
    private var knownTags: [String] = []

    /// Reads lines up to the empty line and returns the index after it; `nil` if it has not arrived
    /// yet.
    mutating func read(_ bytes: Span<UInt8>) throws(HTTPStatus) -> Int? {
        var start = 0
        while let end = try lineEnd(in: bytes, from: start) {
            let line = bytes.extracting(start..<end)
            start = end + 2
            if !hasRequestLine {
                // A server should ignore empty lines before a request; RFC 9112, 2.2.
                if !line.isEmpty { try readRequestLine(line) }
            } else if line.isEmpty {
                return start
            } else {
                try readField(line)
            }
        }
        return nil
    }

    /// The parsed head; throws if the request cannot be granted.
    var head: RequestHead {
        get throws(HTTPStatus) {
            guard hasHost || isOld else { throw .badRequest }
            guard method != .other else { throw .methodNotAllowed }
            let openMetrics = accepted.prefersOpenMetrics
            guard let path, let kind = ReportKind(path: path.span, prefersOpenMetrics: openMetrics)
            else { throw .notFound }
            guard !hasBody else { throw .badRequest }
            return RequestHead(
                isHead: method == .head,
                isPersistent: !closes && !isOld,
                kind: kind,
                knownTags: knownTags
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
        // Method names are case-sensitive; RFC 9110, 9.1.
        method = word.isExactly("GET") ? .get : word.isExactly("HEAD") ? .head : .other
        if method != .other { path = try Self.path(of: target) }
    }

    private mutating func readVersion(_ text: Span<UInt8>) throws(HTTPStatus) {
        guard text.count == 8, text.extracting(..<5).isExactly("HTTP/"), text[5].isDigit,
            text[6] == UInt8(ascii: "."), text[7].isDigit
        else { throw .badRequest }
        guard text[5] == UInt8(ascii: "1") else { throw .versionNotSupported }
        isOld = text[7] == UInt8(ascii: "0")
    }

    /// Returns the path of a target in origin-form or absolute-form, without its query.
    private static func path(of target: Span<UInt8>) throws(HTTPStatus) -> [UInt8] {
        let query = target.firstIndex(of: UInt8(ascii: "?")) ?? target.count
        let address = target.extracting(..<query)
        if address.first == UInt8(ascii: "/") { return address.indices.map { address[$0] } }
        guard address.count > 7, address.extracting(..<7).isWord("http://") else {
            throw .badRequest
        }
        let rest = address.extracting(7...)
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.count
        let host = rest.extracting(..<slash)
        guard !host.isEmpty, host.isHost else { throw .badRequest }
        // An empty path in absolute-form is the root; RFC 9110, 4.2.3.
        guard slash < rest.count else { return [UInt8(ascii: "/")] }
        let path = rest.extracting(slash...)
        return path.indices.map { path[$0] }
    }

    private mutating func readField(_ line: Span<UInt8>) throws(HTTPStatus) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .badRequest }
        // A folded line begins with a blank, which no field name contains.
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
        } else if name.isWord("if-none-match") {
            readTags(value)
        }
    }

    /// Reads entity tags.
    ///
    /// The comparison is weak, so a prefix `W/` has no meaning; RFC 9110, 13.1.2.
    private mutating func readTags(_ value: Span<UInt8>) {
        value.forEachElement(separatedBy: UInt8(ascii: ",")) { element in
            let isWeak = element.count > 2 && element.extracting(..<2).isExactly("W/")
            let tag = isWeak ? element.extracting(2...) : element
            guard knownTags.count < Self.tagLimit else { return }
            knownTags.append(String(decoding: tag.indices.map { tag[$0] }, as: UTF8.self))
        }
    }

    /// Returns the end of the line that begins at `start`; `nil` if its CR and LF have not arrived
    /// yet.
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
