internal import TestSupport

/// The client's end of an HTTP/1.1 connection, as far as the tests need it.
struct HTTPPeer: ~Copyable {
    /// An answer as received.
    struct Reply {
        var status = 0
        /// The header fields by lowercase name.
        var fields: [String: String] = [:]
        var body = ""
    }

    /// An answer that is not valid HTTP.
    struct Malformed: Error {
        let text: String
    }

    static let get = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    static let head = "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n"

    let client: Client
    private var received: [UInt8] = []

    init(_ client: consuming Client) {
        self.client = client
    }

    /// Releases the connection to another owner.
    consuming func give() -> Client { client }

    /// Waits for an answer; returns nil at end of file.
    mutating func reply(hasBody: Bool = true) throws -> Reply? {
        var end = position(of: "\r\n\r\n")
        while end == nil {
            let bytes = try client.receive()
            if bytes.isEmpty, received.isEmpty { return nil }
            if bytes.isEmpty { throw malformed() }
            received += bytes
            end = position(of: "\r\n\r\n")
        }
        let head = String(decoding: received.prefix(end ?? 0), as: UTF8.self)
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        received.removeFirst((end ?? 0) + 4)
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw malformed()
        }
        var reply = Reply(status: status)
        for line in lines.dropFirst() {
            guard let match = line.wholeMatch(of: /([A-Za-z-]+): (.+)/) else { throw malformed() }
            reply.fields[match.1.lowercased()] = String(match.2)
        }
        if reply.status == 304 { return reply }
        guard let count = reply.fields["content-length"].flatMap(Int.init) else {
            throw malformed()
        }
        guard hasBody else { return reply }
        while received.count < count {
            let bytes = try client.receive()
            if bytes.isEmpty { throw malformed() }
            received += bytes
        }
        reply.body = String(decoding: received.prefix(count), as: UTF8.self)
        received.removeFirst(count)
        return reply
    }

    /// Sends a request and waits for its answer.
    mutating func ask(_ request: String, hasBody: Bool = true) throws -> Reply? {
        try client.send(request)
        return try reply(hasBody: hasBody)
    }

    private func position(of text: String) -> Int? {
        let mark = Array(text.utf8)
        guard received.count >= mark.count else { return nil }
        return (0...received.count - mark.count).first { start in
            received[start] == mark[0] && received[start...].starts(with: mark)
        }
    }

    private func malformed() -> Malformed {
        Malformed(text: String(decoding: received.prefix(1000), as: UTF8.self))
    }
}
