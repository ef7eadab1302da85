public import SystemPackage

/// A source of bytes: a stream socket, its reading half, or the reading end of a pipe.
public protocol AsyncByteReader: AsyncSource, ~Copyable {}

extension AsyncByteReader where Self: ~Copyable {
    /// Reads at least one byte into `buffer`, overwriting it from the start.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to overwrite, such as `array.mutableSpan`. Traps if it is empty.
    ///   - deadline: When to stop waiting.
    /// - Returns: The number of bytes read, or 0 at end of file.
    /// - Throws: `Errno.canceled`, `Errno.deadlineExceeded`, or the error of recv(2), such as
    ///   `Errno.connectionReset`.
    @inlinable @inline(__always)
    public func read(
        into buffer: consuming MutableSpan<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        let handle = handle
        var attempt = Attempt()
        while true {
            try await handle.begin(.read, &attempt, until: deadline)
            if let count = try handle.tryToRead(into: &buffer, &attempt) { return count }
        }
    }

    /// Reads at least one byte and appends to `buffer`, at most its free capacity.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to append to. Traps if it has no free capacity.
    ///   - deadline: When to stop waiting.
    /// - Returns: Same as `read(into:)` with a mutable span.
    /// - Throws: Same as `read(into:)` with a mutable span.
    @inlinable @inline(__always)
    public func read(
        into buffer: inout OutputSpan<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        let handle = handle
        var attempt = Attempt()
        while true {
            try await handle.begin(.read, &attempt, until: deadline)
            if let count = try handle.tryToRead(appendingTo: &buffer, &attempt) { return count }
        }
    }

    /// Reads at least one byte and appends to an array.
    ///
    /// For protocols whose messages can arrive in pieces: append until the array has a whole one.
    ///
    /// - Parameters:
    ///   - buffer: The array to append to.
    ///   - limit: The most bytes to append. Traps unless it is positive.
    ///   - deadline: When to stop waiting.
    /// - Returns: Same as `read(into:)` with a mutable span.
    /// - Throws: Same as `read(into:)` with a mutable span.
    @inlinable @inline(__always)
    public func read(
        appendingTo buffer: inout [UInt8],
        atMost limit: Int,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        precondition(limit > 0, "the limit of bytes must be positive")
        let handle = handle
        var attempt = Attempt()
        while true {
            try await handle.begin(.read, &attempt, until: deadline)
            let count = try handle.tryToRead(appendingTo: &buffer, atMost: limit, &attempt)
            if let count { return count }
        }
    }

    /// Reads at least one byte into a buffer of the executor, and passes it to `body`.
    ///
    /// The connection needs no buffer of its own while it waits, so that idle connections use
    /// little memory.
    ///
    /// - Parameters:
    ///   - deadline: When to stop waiting.
    ///   - body: The use of the bytes, at most 65,536; none at end of file. Bytes that it does not
    ///     copy are gone afterward.
    /// - Returns: The result of `body`.
    /// - Throws: Same as `read(into:)`, and the error of `body`.
    @inlinable @inline(__always)
    public func withBytes<Value>(
        until deadline: Deadline = .never,
        _ body: (Span<UInt8>) throws(Errno) -> Value
    ) async throws(Errno) -> Value {
        let handle = handle
        var attempt = Attempt()
        while true {
            try await handle.begin(.read, &attempt, until: deadline)
            guard let bytes = try handle.tryToRead(&attempt) else { continue }
            do throws(Errno) {
                let value = try bytes.use(body)
                handle.giveBack(bytes)
                return value
            } catch {
                handle.giveBack(bytes)
                throw error
            }
        }
    }
}
