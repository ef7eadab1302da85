#if Net
public import SystemPackage

/// A connected, non-blocking socket that carries bytes in order: ``TCPStream``, ``UnixStream``.
public protocol StreamSocket: DescriptorSource, Sendable, ~Copyable {}

extension StreamSocket where Self: ~Copyable {
    /// Appends bytes from the peer to `buffer`, at most its free capacity.
    ///
    /// Fewer bytes than there was room for mean that no more are there, but not always: what is
    /// behind urgent data or passed descriptors takes another read, as does an end of file that the
    /// event told of.
    ///
    /// - Parameter buffer: Where to; one without room is a programmer's error and traps.
    /// - Returns: The number of bytes that came, 0 at end of file, or `nil` if none are there yet.
    /// - Throws: `Errno.connectionReset` if the peer broke the connection. See read(2).
    public func read(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.readAvailable(into: &buffer)
    }

    /// Hands bytes to the kernel.
    ///
    /// - Returns: The number of bytes taken, possibly fewer than given, or `nil` if there is no
    ///   room at all yet.
    /// - Throws: `Errno.brokenPipe` if the peer reads no more, without `SIGPIPE`. See send(2).
    public func write(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes)
    }

    /// Ends one or both ways of the connection, after what is still to be sent.
    ///
    /// - Throws: `Errno.socketNotConnected` if the connection is gone. See shutdown(2).
    public func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try fileDescriptor.shutdown(direction)
    }

    /// Takes the pending error off the socket, or returns `nil` if there is none.
    public func takeError() throws(Errno) -> Errno? {
        try fileDescriptor.takeError()
    }
}
#endif
