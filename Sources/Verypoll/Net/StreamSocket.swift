#if Net
public import SystemPackage

/// A socket that carries bytes in order: ``TCPStream``, ``UnixStream``, ``VsockStream``.
public protocol StreamSocket: Socket, ~Copyable {}

extension StreamSocket where Self: ~Copyable {
    /// Checks whether the connect is done.
    ///
    /// Call it at each writable event until it returns ``ConnectProgress/connected``.
    ///
    /// - Returns: ``ConnectProgress/pending`` while the connect is in progress, then
    ///   ``ConnectProgress/connected``.
    /// - Throws: The reason why the connect failed, such as `Errno.connectionRefused` or
    ///   `Errno.timedOut`; `Errno.socketNotConnected` if that error was already thrown, or if no
    ///   connect was started.
    public func finishConnect() throws(Errno) -> ConnectProgress {
        try fileDescriptor.finishConnect()
    }

    /// Appends bytes from the peer to `buffer`, at most its free capacity.
    ///
    /// A short read usually means that no more bytes are available. There are two exceptions: a
    /// read also stops at urgent data and at passed descriptors, and an end of file that the event
    /// reported needs a read of its own.
    ///
    /// - Parameter buffer: The buffer to append to. Traps if it has no free capacity.
    /// - Returns: The number of bytes read, 0 at end of file, or `nil` if none are available yet.
    /// - Throws: `Errno.connectionReset` if the peer reset the connection. See recv(2).
    @inlinable
    public func read(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receive(into: &buffer)
    }

    /// Reads bytes from the peer into `buffer`, overwriting it from the start.
    ///
    /// ```swift
    /// let pair = try UnixStream.pair()
    /// var buffer = [UInt8](repeating: 0, count: 4096)
    /// while let count = try pair.first.read(into: buffer.mutableSpan), count > 0 {
    ///     _ = try pair.first.write(buffer.span.extracting(first: count))
    /// }
    /// ```
    ///
    /// - Parameter buffer: The buffer to overwrite. Traps if it is empty.
    /// - Returns: Same as `read(into:)` with an output span.
    /// - Throws: Same as `read(into:)` with an output span. See recv(2).
    @inlinable
    public func read(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receive(into: &buffer)
    }

    /// Appends bytes from the peer to `first`, and to `second` once `first` is full.
    ///
    /// - Parameters:
    ///   - first: The buffer to fill first. Traps if neither buffer has free capacity.
    ///   - second: The buffer for the rest, such as the second part of a ring.
    /// - Returns: The total number of bytes read; otherwise the same as `read(into:)`.
    /// - Throws: Same as `read(into:)`. See readv(2).
    public func read(
        into first: inout OutputSpan<UInt8>,
        _ second: inout OutputSpan<UInt8>
    ) throws(Errno) -> Int? {
        try fileDescriptor.readAvailable(into: &first, &second)
    }

    /// Appends bytes from the peer to `buffer` without consuming them.
    ///
    /// A peek drains nothing, so do not expect a new edge before a `read(into:)`.
    ///
    /// - Parameter buffer: The buffer to append to. Traps if it has no free capacity.
    /// - Returns: Same as `read(into:)`.
    /// - Throws: Same as `read(into:)`. See recv(2), `MSG_PEEK`.
    public func peek(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receive(into: &buffer, peeks: true)
    }

    /// Copies bytes from the peer into `buffer`, overwriting it from the start, without consuming
    /// them.
    ///
    /// A peek drains nothing, so do not expect a new edge before a `read(into:)`.
    ///
    /// - Parameter buffer: The buffer to overwrite. Traps if it is empty.
    /// - Returns: Same as `read(into:)`.
    /// - Throws: Same as `read(into:)`. See recv(2), `MSG_PEEK`.
    public func peek(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receive(into: &buffer, peeks: true)
    }

    /// Writes bytes to the kernel's send buffer.
    ///
    /// - Returns: The number of bytes accepted, possibly fewer than given, or `nil` if there is no
    ///   room at all yet.
    /// - Throws: `Errno.brokenPipe` if the peer no longer reads; `SIGPIPE` is not raised. See
    ///   send(2).
    @inlinable
    public func write(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes)
    }

    /// Writes bytes, and announces that more bytes follow immediately.
    ///
    /// TCP may hold back the last bytes for up to 200 ms, to send them in one packet with the next
    /// write or with the end of stream from ``shutdown(_:)``. See `MSG_MORE` in send(2).
    ///
    /// - Returns: Same as `write(_:)`.
    /// - Throws: Same as `write(_:)`.
    @inlinable
    public func writeHoldingBack(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes, holdsBack: true)
    }

    /// Writes several runs of bytes in one call, such as a header and a body.
    ///
    /// - Parameters:
    ///   - first: The bytes to write first.
    ///   - second: The bytes after `first`.
    ///   - third: The bytes after `second`, if any.
    ///   - fourth: The bytes after `third`, if any.
    /// - Returns: The total number of bytes accepted; otherwise the same as ``write(_:)``.
    /// - Throws: Same as ``write(_:)``. See sendmsg(2).
    public func write(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8> = Span(),
        _ fourth: Span<UInt8> = Span()
    ) throws(Errno) -> Int? {
        try fileDescriptor.send(first, second, third, fourth)
    }

    /// Shuts down one or both directions of the connection.
    ///
    /// Buffered bytes are still sent.
    ///
    /// - Throws: `Errno.socketNotConnected` if the connection is gone. See shutdown(2).
    public func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try fileDescriptor.shutdown(direction)
    }
}
#endif
