public import SystemPackage

/// A sink of bytes: a stream socket, its writing half, or the writing end of a pipe.
public protocol AsyncByteWriter: AsyncSource, ~Copyable {}

extension AsyncByteWriter where Self: ~Copyable {
    /// Writes at least one of the bytes to the kernel's buffer.
    ///
    /// - Parameters:
    ///   - bytes: The bytes. If there are none, this returns 0.
    ///   - deadline: When to stop waiting for room.
    /// - Returns: The number of bytes accepted, possibly fewer than given.
    /// - Throws: `Errno.canceled`, `Errno.deadlineExceeded`, or the error of send(2), such as
    ///   `Errno.brokenPipe` if the peer no longer reads.
    @inlinable
    public func write(
        _ bytes: Span<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        let sent = try handle.writeAtOnce(bytes)
        guard sent == 0, !bytes.isEmpty else { return sent }
        return try await handle.write(bytes, until: deadline)
    }

    /// Writes several runs of bytes in one call, at least one byte in all.
    ///
    /// - Parameters:
    ///   - first: The bytes to write first.
    ///   - second: The bytes after `first`.
    ///   - third: The bytes after `second`, if any.
    ///   - fourth: The bytes after `third`, if any.
    ///   - deadline: When to stop waiting for room.
    /// - Returns: The total number of bytes accepted.
    /// - Throws: Same as `write(_:until:)`.
    @inlinable
    public func write(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8> = Span(),
        _ fourth: Span<UInt8> = Span(),
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        try await handle.write(first, second, third, fourth, until: deadline)
    }

    /// Writes all of the bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - deadline: When to stop waiting for room.
    /// - Throws: Same as `write(_:until:)`. Some of the bytes may have been written then.
    @inlinable
    public func writeAll(
        _ bytes: Span<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) {
        let sent = try handle.writeAtOnce(bytes)
        guard sent < bytes.count else { return }
        let rest = bytes.extracting(droppingFirst: sent)
        try await handle.writeAll(rest, until: deadline)
    }

    /// Writes all of several runs of bytes, in one call if the kernel has room.
    ///
    /// - Parameters:
    ///   - first: The bytes to write first.
    ///   - second: The bytes after `first`.
    ///   - third: The bytes after `second`, if any.
    ///   - fourth: The bytes after `third`, if any.
    ///   - deadline: When to stop waiting for room.
    /// - Throws: Same as `write(_:until:)`. Some of the bytes may have been written then.
    @inlinable
    public func writeAll(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8> = Span(),
        _ fourth: Span<UInt8> = Span(),
        until deadline: Deadline = .never
    ) async throws(Errno) {
        try await handle.writeAll(first, second, third, fourth, until: deadline)
    }
}
