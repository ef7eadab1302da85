#if OSExt
public import SystemPackage

// These methods move bytes between a socket and a pipe without copying them into the process; see
// splice(2).

extension UnixPipe.Sender {
    /// Moves bytes from a source into the pipe.
    ///
    /// ```swift
    /// func relay(_ source: borrowing TCPStream, _ sink: borrowing TCPStream) throws(Errno) {
    ///     let pipe = try UnixPipe()
    ///     while let count = try pipe.sender.splice(from: source, atMost: 65_536), count > 0 {
    ///         var rest = count
    ///         while rest > 0, let moved = try pipe.receiver.splice(to: sink, atMost: rest) {
    ///             rest -= moved
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - source: A stream socket, or another descriptor that splice(2) accepts.
    ///   - count: The most bytes to move. Traps if 0.
    /// - Returns: The number of bytes moved, 0 at end of file, or `nil` if the source has no bytes
    ///   yet or the pipe has no room. A short count does not mean that the source is drained.
    /// - Throws: `Errno.connectionReset` if the peer reset the connection. See splice(2).
    public func splice(
        from source: borrowing some DescriptorSource & ~Copyable,
        atMost count: Int
    ) throws(Errno) -> Int? {
        try source.fileDescriptor.splice(to: fileDescriptor, atMost: count)
    }

    /// Sets the capacity of the pipe in bytes, rounded up to a power-of-two number of pages.
    ///
    /// - Returns: The new capacity, in bytes.
    /// - Throws: `Errno.notPermitted` above the user's limit, `Errno.resourceBusy` if the pipe
    ///   holds more bytes than that. See `F_SETPIPE_SZ` in fcntl(2).
    @discardableResult
    public func setCapacity(_ byteCount: Int) throws(Errno) -> Int {
        try fileDescriptor.setPipeCapacity(byteCount)
    }
}

extension UnixPipe.Receiver {
    /// Moves bytes from the pipe to a destination.
    ///
    /// - Parameters:
    ///   - destination: A stream socket, or another descriptor that splice(2) accepts.
    ///   - count: The most bytes to move. Traps if 0.
    /// - Returns: The number of bytes moved, 0 if the pipe is empty and all senders are closed, or
    ///   `nil` if the pipe is empty or the destination has no room.
    /// - Throws: `Errno.brokenPipe` if the peer no longer reads. This call also raises `SIGPIPE`,
    ///   so a program that splices to sockets must ignore that signal. See splice(2) and signal(7).
    public func splice(
        to destination: borrowing some DescriptorSource & ~Copyable,
        atMost count: Int
    ) throws(Errno) -> Int? {
        try fileDescriptor.splice(to: destination.fileDescriptor, atMost: count)
    }
}
#endif
