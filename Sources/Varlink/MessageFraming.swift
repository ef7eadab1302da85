internal import Glibc

/// Cuts a stream of bytes into messages, each ended by a NUL byte.
///
/// Bytes may come in any portions. No byte is looked at twice in search of the end of a message.
package struct MessageFraming {
    /// The most bytes that a message may have, its NUL byte not counted.
    package static let messageLimit = 1 << 20

    private let limit: Int
    private var buffer: [UInt8] = []
    /// Where the next message begins in `buffer`.
    private var start = 0
    /// There is no NUL byte between `start` and here.
    private var scanned = 0
    /// Where the NUL byte of the next message is.
    private var end: Int?

    /// Makes a framing without bytes that refuses messages of more than `limit` bytes.
    package init(limit: Int = Self.messageLimit) {
        precondition(limit > 0, "no room for a message")
        self.limit = limit
    }

    /// The bytes that came and were not taken yet.
    package var byteCount: Int { buffer.count - start }

    /// Lets `read` append bytes from the stream.
    ///
    /// - Parameters:
    ///   - capacity: The most bytes that `read` may append.
    ///   - read: Gets the free space, and appends what came.
    /// - Returns: What `read` returns.
    /// - Throws: What `read` throws; bytes that it appended before count.
    package mutating func append<Value, Failure>(
        upTo capacity: Int,
        _ read: (inout OutputSpan<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        // Moved only once half of the buffer is done with, so that every byte moves about once.
        if start > buffer.count / 2 {
            buffer.removeSubrange(..<start)
            scanned -= start
            end = end.map { $0 - start }
            start = 0
        }
        defer { findEnd() }
        var value: Value?
        try buffer.append(addingCapacity: capacity) { output throws(Failure) in
            value = try read(&output)
        }
        guard let value else { preconditionFailure("append did not run its closure") }
        return value
    }

    /// Whether ``next()`` would return a message or throw.
    package var hasNext: Bool { end != nil || byteCount > limit }

    /// The bytes of the next message; while its end has not come, those that are here.
    package var nextByteCount: Int { (end ?? buffer.count) - start }

    /// Takes the next message, without its NUL byte, or returns `nil` if it is not complete.
    ///
    /// - Throws: If the message is longer than the limit. What follows it cannot be found.
    package mutating func next() throws(MalformedMessage) -> [UInt8]? {
        guard (end ?? buffer.count) - start <= limit else { throw MalformedMessage() }
        guard let end else { return nil }
        let message = Array(buffer[start..<end])
        start = end + 1
        scanned = start
        self.end = nil
        if start == buffer.count { removeAll() }
        findEnd()
        return message
    }

    /// Forgets all bytes, and the memory that they took.
    package mutating func removeAll() {
        buffer = []
        start = 0
        scanned = 0
        end = nil
    }

    private mutating func findEnd() {
        guard end == nil, scanned < buffer.count else { return }
        end = buffer.span.extracting(scanned...).firstOffset(of: 0).map { scanned + $0 }
        scanned = end.map { $0 + 1 } ?? buffer.count
    }
}

/// The peer sent what is no message; nothing can be said on this connection any more.
package struct MalformedMessage: Error, Hashable, Sendable {
    /// Makes the error, which says nothing more: its only answer is to close the connection.
    package init() {}
}

extension Span<UInt8> {
    /// Where a byte is first, by memchr(3), which looks at many at a time.
    fileprivate func firstOffset(of byte: UInt8) -> Int? {
        unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base, Int32(byte), bytes.count)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
