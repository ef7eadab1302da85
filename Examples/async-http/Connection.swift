import SystemPackage
import VerypollAsync

/// The buffers of a connection, and the reading of requests.
///
/// The functions get the stream as an argument, because `serve` only lends it.
struct Connection {
    /// The most bytes that are buffered, and thus the longest line.
    static let bufferSize = 8192
    /// The largest head of a request, in bytes.
    static let largestHead = 16_384
    /// The most fields in the head, or in the trailer of a chunked body.
    static let mostFields = 100
    /// The largest body of a request, in bytes.
    static let largestBody = 65_536

    /// Responses that are not sent yet.
    var output: [UInt8] = []

    /// Received bytes, of which the first `parsedCount` are parsed.
    private var buffer: [UInt8] = []
    private var parsedCount = 0

    /// The received bytes that are not parsed yet.
    private var received: Range<Int> { parsedCount..<buffer.count }

    // MARK: Requests

    /// Waits for the head of the next request.
    ///
    /// - Returns: The head, or `nil` if the client has ended the connection.
    /// - Throws: A `Status` that refuses the request; `Errno.deadlineExceeded` if the client sends
    ///   no request.
    mutating func nextHead(from stream: borrowing AsyncTCPStream) async throws -> RequestHead? {
        if received.isEmpty {
            guard try await fill(from: stream, until: .now + .seconds(60)) else { return nil }
        }
        let deadline = Deadline.now + .seconds(10)
        var line = try await nextLine(from: stream, until: deadline)
        // RFC 9112 asks servers to skip an empty line before a request.
        if line.isEmpty { line = try await nextLine(from: stream, until: deadline) }
        var head = try RequestHead(line)
        var byteCount = line.utf8.count
        for _ in 0...Self.mostFields {
            line = try await nextLine(from: stream, until: deadline)
            if line.isEmpty {
                try head.validate()
                return head
            }
            byteCount += line.utf8.count
            guard byteCount <= Self.largestHead else { throw Status.fieldsTooLarge }
            try head.add(line)
        }
        throw Status.fieldsTooLarge
    }

    /// Waits for the whole body of a request.
    ///
    /// - Throws: A `Status` that refuses the request.
    mutating func body(
        of head: RequestHead,
        from stream: borrowing AsyncTCPStream
    ) async throws -> [UInt8] {
        let deadline = Deadline.now + .seconds(30)
        var body: [UInt8] = []
        switch head.body {
        case .length(let count):
            guard count <= Self.largestBody else { throw Status.contentTooLarge }
            if head.expectsContinue, received.count < count { askToContinue() }
            try await append(count, to: &body, from: stream, until: deadline)
        case .chunked:
            if head.expectsContinue, received.isEmpty { askToContinue() }
            while true {
                let line = try await nextLine(from: stream, until: deadline)
                let count = try chunkSize(line)
                if count == 0 { break }
                guard count <= Self.largestBody - body.count else { throw Status.contentTooLarge }
                try await append(count, to: &body, from: stream, until: deadline)
                let end = try await nextLine(from: stream, until: deadline)
                guard end.isEmpty else { throw Status.badRequest }
            }
            try await skipTrailer(from: stream, until: deadline)
        }
        return body
    }

    /// Asks a client that waits before it sends a body to send it.
    private mutating func askToContinue() {
        output += "HTTP/1.1 100 Continue\r\n\r\n".utf8
    }

    /// Returns the size in the first line of a chunk: hexadecimal digits, and ignored extensions.
    private func chunkSize(_ line: String) throws(Status) -> Int {
        let digits = line.prefix { $0 != ";" && $0 != " " && $0 != "\t" }
        let isHexadecimal = digits.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        guard !digits.isEmpty, isHexadecimal else { throw .badRequest }
        guard let count = Int(digits, radix: 16) else { throw .contentTooLarge }
        return count
    }

    private mutating func skipTrailer(
        from stream: borrowing AsyncTCPStream,
        until deadline: Deadline
    ) async throws {
        var count = 0
        while try await !nextLine(from: stream, until: deadline).isEmpty {
            count += 1
            guard count <= Self.mostFields else { throw Status.fieldsTooLarge }
        }
    }

    // MARK: Bytes

    /// Waits for a whole line, and returns it without its line break.
    private mutating func nextLine(
        from stream: borrowing AsyncTCPStream,
        until deadline: Deadline
    ) async throws -> String {
        var searched = 0
        while true {
            let unsearched = received.dropFirst(searched)
            if let end = buffer[unsearched].firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[received.lowerBound..<end]
                parsedCount = end + 1
                let content = line.dropLast()
                let isValid = !content.contains { $0 == UInt8(ascii: "\r") || $0 == 0 }
                guard line.last == UInt8(ascii: "\r"), isValid else { throw Status.badRequest }
                return String(decoding: content, as: UTF8.self)
            }
            searched = received.count
            guard searched < Self.bufferSize else { throw Status.fieldsTooLarge }
            try await fillRequest(from: stream, until: deadline)
        }
    }

    /// Waits for `count` bytes and appends them to `body`.
    private mutating func append(
        _ count: Int,
        to body: inout [UInt8],
        from stream: borrowing AsyncTCPStream,
        until deadline: Deadline
    ) async throws {
        var missing = count
        while true {
            let part = received.prefix(missing)
            body += buffer[part]
            parsedCount += part.count
            missing -= part.count
            if missing == 0 { return }
            try await fillRequest(from: stream, until: deadline)
        }
    }

    /// Receives more bytes of a request that has begun.
    private mutating func fillRequest(
        from stream: borrowing AsyncTCPStream,
        until deadline: Deadline
    ) async throws {
        do {
            guard try await fill(from: stream, until: deadline) else { throw Status.badRequest }
        } catch Errno.deadlineExceeded {
            throw Status.timeout
        }
    }

    /// Receives at least one byte; before, sends the responses that the client may be waiting for.
    ///
    /// - Returns: `false` at end of file.
    private mutating func fill(
        from stream: borrowing AsyncTCPStream,
        until deadline: Deadline
    ) async throws(Errno) -> Bool {
        try await flush(to: stream)
        buffer.removeFirst(parsedCount)
        parsedCount = 0
        let room = Self.bufferSize - buffer.count
        let count = try await stream.read(appendingTo: &buffer, atMost: room, until: deadline)
        return count > 0
    }

    /// Sends all responses.
    mutating func flush(to stream: borrowing AsyncTCPStream) async throws(Errno) {
        try await stream.writeAll(output.span, until: .now + .seconds(30))
        output.removeAll(keepingCapacity: output.count <= Self.bufferSize)
    }
}
