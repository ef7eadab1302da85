#if OSExt
public import SystemPackage

// Moving bytes between a socket and a pipe without copying them into the process; see splice(2).

extension Pipe.Sender {
    /// Moves bytes from a source into the pipe.
    ///
    /// ```swift
    /// func relay(_ source: borrowing TCPStream, _ sink: borrowing TCPStream) throws(Errno) {
    ///     let pipe = try Pipe()
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
    ///   - source: A stream socket, or what else splice(2) takes.
    ///   - count: The most bytes to move; 0 is a programmer's error and traps.
    /// - Returns: The number of bytes moved, 0 at end of file, or `nil` if there are none yet or
    ///   the pipe has no room. Fewer than asked for tell nothing.
    /// - Throws: `Errno.connectionReset` if the peer broke the connection. See splice(2).
    public func splice(
        from source: borrowing some DescriptorSource & ~Copyable,
        atMost count: Int
    ) throws(Errno) -> Int? {
        try source.fileDescriptor.splice(to: fileDescriptor, atMost: count)
    }

    /// Makes the pipe hold as many bytes, rounded up to a power of two of pages.
    ///
    /// - Returns: How many it holds now.
    /// - Throws: `Errno.notPermitted` beyond what the user may have, `Errno.resourceBusy` where
    ///   more bytes wait in it. See `F_SETPIPE_SZ` in fcntl(2).
    @discardableResult
    public func setCapacity(_ byteCount: Int) throws(Errno) -> Int {
        try fileDescriptor.setPipeCapacity(byteCount)
    }
}

extension Pipe.Receiver {
    /// Moves bytes from the pipe to where they are to go.
    ///
    /// - Parameters:
    ///   - destination: A stream socket, or what else splice(2) takes.
    ///   - count: The most bytes to move; 0 is a programmer's error and traps.
    /// - Returns: The number of bytes moved, 0 when the pipe is empty and all senders are gone, or
    ///   `nil` if the pipe is empty or the destination has no room.
    /// - Throws: `Errno.brokenPipe` if the peer reads no more; this call raises `SIGPIPE` as well,
    ///   which a program that splices to sockets ignores. See splice(2) and signal(7).
    public func splice(
        to destination: borrowing some DescriptorSource & ~Copyable,
        atMost count: Int
    ) throws(Errno) -> Int? {
        try fileDescriptor.splice(to: destination.fileDescriptor, atMost: count)
    }
}
#endif
