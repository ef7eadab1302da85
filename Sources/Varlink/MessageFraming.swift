internal import Glibc

/// Splits a stream of bytes into messages, each followed by a NUL byte.
///
/// Bytes may arrive in portions of any size. The search for the end of a message reads each byte
/// once.
package struct MessageFraming {
    /// The most bytes that a message may have, without its NUL byte.
    package static let messageLimit = 1 << 20

    private let limit: Int
    private var buffer: [UInt8] = []
    /// The offset of the next message in `buffer`.
    private var start = 0
    /// The end of the bytes that were searched for a NUL byte.
    private var scanned = 0
    /// The offset of the NUL byte of the next message.
    private var end: Int?

    /// Creates an empty framing that rejects messages of more than `limit` bytes.
    package init(limit: Int = Self.messageLimit) {
        precondition(limit > 0, "the limit of a message must be positive")
        self.limit = limit
    }

    /// The number of bytes received but not yet returned by ``next()``.
    package var byteCount: Int { buffer.count - start }

    /// Calls `read` to append bytes from the stream.
    ///
    /// - Parameters:
    ///   - capacity: The most bytes that `read` may append.
    ///   - read: Appends received bytes to the free space.
    /// - Returns: The result of `read`.
    /// - Throws: The error of `read`. Bytes that it appended before it threw are kept.
    package mutating func append<Value, Failure>(
        upTo capacity: Int,
        _ read: (inout OutputSpan<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        // Move the bytes only when messages already returned fill more than half of the buffer,
        // so that each byte moves about once.
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

    /// The size of the next message, or of its received part if it is incomplete.
    package var nextByteCount: Int { (end ?? buffer.count) - start }

    /// Removes and returns the next message without its NUL byte, or returns `nil` if it is
    /// incomplete.
    ///
    /// - Throws: If the message is longer than the limit. The messages after it cannot be found.
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

    /// Removes all bytes and frees their memory.
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

/// The peer sent bytes that are not a valid message, so the connection is no longer usable.
package struct MalformedMessage: Error, Hashable, Sendable {
    /// Creates the error.
    ///
    /// It has no details, because the only response is to close the connection.
    package init() {}
}

extension Span<UInt8> {
    /// Returns the first offset of a byte, by memchr(3), which compares many bytes at a time.
    fileprivate func firstOffset(of byte: UInt8) -> Int? {
        unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base, Int32(byte), bytes.count)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
