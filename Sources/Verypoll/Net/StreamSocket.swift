#if Net
public import SystemPackage

/// A socket that carries bytes in order: ``TCPStream``, ``UnixStream``.
public protocol StreamSocket: Socket, ~Copyable {}

extension StreamSocket where Self: ~Copyable {
    /// Asks how far the connect has come; call it at each writable event until it is connected.
    ///
    /// - Returns: Whether to wait on, or to go ahead.
    /// - Throws: Why the connect failed, as `Errno.connectionRefused` or `Errno.timedOut`;
    ///   `Errno.socketNotConnected` if that was told before, or no connect was begun.
    public func finishConnect() throws(Errno) -> ConnectProgress {
        try fileDescriptor.finishConnect()
    }

    /// Appends bytes from the peer to `buffer`, at most its free capacity.
    ///
    /// Fewer bytes than there was room for mean that no more are there, but not always: what is
    /// behind urgent data or passed descriptors takes another read, as does an end of file that the
    /// event told of.
    ///
    /// - Parameter buffer: Where to; one without room is a programmer's error and traps.
    /// - Returns: The number of bytes that came, 0 at end of file, or `nil` if none are there yet.
    /// - Throws: `Errno.connectionReset` if the peer broke the connection. See recv(2).
    @inlinable
    public func read(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receive(into: &buffer)
    }

    /// Puts bytes from the peer at the start of `buffer`, in place of those that are there.
    ///
    /// ```swift
    /// let pair = try UnixStream.pair()
    /// var buffer = [UInt8](repeating: 0, count: 4096)
    /// while let count = try pair.first.read(into: buffer.mutableSpan), count > 0 {
    ///     _ = try pair.first.write(buffer.span.extracting(first: count))
    /// }
    /// ```
    ///
    /// - Parameter buffer: Where to; an empty one is a programmer's error and traps.
    /// - Returns: As `read(into:)` of an output span.
    /// - Throws: As `read(into:)` of an output span. See recv(2).
    @inlinable
    public func read(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receive(into: &buffer)
    }

    /// Appends bytes from the peer to `first`, and to `second` once that is full.
    ///
    /// - Parameters:
    ///   - first: Where to; both without room is a programmer's error and traps.
    ///   - second: Where the rest goes, as for the two parts of a ring.
    /// - Returns: The number of bytes that came in all; as `read(into:)`.
    /// - Throws: As `read(into:)`. See readv(2).
    public func read(
        into first: inout OutputSpan<UInt8>,
        _ second: inout OutputSpan<UInt8>
    ) throws(Errno) -> Int? {
        try fileDescriptor.readAvailable(into: &first, &second)
    }

    /// Appends bytes from the peer to `buffer`, and leaves them to be read again.
    ///
    /// It drains nothing, so no edge comes before a `read(into:)`.
    ///
    /// - Parameter buffer: Where to; one without room is a programmer's error and traps.
    /// - Returns: As `read(into:)`.
    /// - Throws: As `read(into:)`. See recv(2), `MSG_PEEK`.
    public func peek(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receive(into: &buffer, peeks: true)
    }

    /// Hands bytes to the kernel.
    ///
    /// - Returns: The number of bytes taken, possibly fewer than given, or `nil` if there is no
    ///   room at all yet.
    /// - Throws: `Errno.brokenPipe` if the peer reads no more, without `SIGPIPE`. See send(2).
    @inlinable
    public func write(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes)
    }

    /// Hands bytes to the kernel that more will follow at once.
    ///
    /// TCP may hold the last of them back, for a fifth of a second at most, so that they go in one
    /// packet with what follows: more bytes, or the end of ``shutdown(_:)``. See `MSG_MORE` in
    /// send(2).
    ///
    /// - Returns: As `write(_:)`.
    /// - Throws: As `write(_:)`.
    @inlinable
    public func writeHoldingBack(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes, holdsBack: true)
    }

    /// Hands several runs of bytes to the kernel in one call, as a header and a body.
    ///
    /// - Parameters:
    ///   - first: What goes first.
    ///   - second: What follows.
    ///   - third: What follows that, if anything.
    ///   - fourth: What goes last, if anything.
    /// - Returns: The number of bytes taken of all together; as ``write(_:)``.
    /// - Throws: As ``write(_:)``. See sendmsg(2).
    public func write(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8> = Span(),
        _ fourth: Span<UInt8> = Span()
    ) throws(Errno) -> Int? {
        try fileDescriptor.send(first, second, third, fourth)
    }

    /// Ends one or both ways of the connection, after what is still to be sent.
    ///
    /// - Throws: `Errno.socketNotConnected` if the connection is gone. See shutdown(2).
    public func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try fileDescriptor.shutdown(direction)
    }
}
#endif
