#if Net
public import SystemPackage

/// A Unix-domain socket that sends and receives: ``UnixStream``, ``UnixDatagram``.
public protocol UnixSocket: Socket, ~Copyable {}

extension UnixSocket where Self: ~Copyable {
    /// Sends bytes and, with the first of them, any descriptors and credentials.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to send. A stream carries descriptors only with bytes, so sending
    ///     descriptors without bytes traps. An empty datagram may carry descriptors.
    ///   - descriptors: At most 253 open descriptors. The receiver gets duplicates. The caller
    ///     keeps ownership, and may close the descriptors when this call has returned.
    ///   - credentials: The sender's credentials. Credentials other than this process's own require
    ///     privileges. With `nil`, the kernel supplies the real credentials to a receiver that
    ///     called ``setReceivesCredentials(_:)``.
    /// - Returns: The number of bytes accepted, or `nil` if there is no room yet and nothing was
    ///   sent. The descriptors were sent with the first byte, so send remaining bytes without them.
    /// - Throws: `Errno.badFileDescriptor` if a descriptor is not open, `Errno.notPermitted` for
    ///   credentials that this process may not claim, `Errno.tooManyReferences` if too many
    ///   descriptors are in flight. See sendmsg(2) and unix(7).
    public func send(
        _ bytes: Span<UInt8>,
        passing descriptors: [FileDescriptor] = [],
        credentials: PeerCredentials? = nil
    ) throws(Errno) -> Int? {
        precondition(
            !bytes.isEmpty || descriptors.isEmpty || !fileDescriptor.isStreamSocket,
            "a stream can pass descriptors only with bytes"
        )
        return try fileDescriptor.send(
            bytes,
            to: nil,
            control: ControlMessages.encode(descriptors, credentials)
        )
    }

    /// Receives bytes, and the descriptors and credentials sent with them.
    ///
    /// One call never receives the descriptors of more than one ``send(_:passing:credentials:)``.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to append to. For a stream, traps if it has no free capacity.
    ///   - ancillary: The storage for descriptors and credentials. Descriptors left in it from an
    ///     earlier call are closed first.
    /// - Returns: Same as `read(into:)` of a stream or `receive(into:)` of a datagram socket.
    /// - Throws: Same as those methods. See recvmsg(2).
    public func receive(
        into buffer: inout OutputSpan<UInt8>,
        ancillary: inout AncillaryData
    ) throws(Errno) -> Int? {
        // Without free capacity, recvmsg(2) returns 0, which would look like end of file.
        precondition(
            buffer.freeCapacity > 0 || !fileDescriptor.isStreamSocket,
            "the buffer has no free capacity"
        )
        return try fileDescriptor.receive(into: &buffer, ancillary: &ancillary)
    }

    /// Receives bytes into `buffer`, overwriting it from the start, and the descriptors and
    /// credentials sent with them.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to overwrite. For a stream, traps if it is empty.
    ///   - ancillary: The storage for descriptors and credentials. Descriptors left in it from an
    ///     earlier call are closed first.
    /// - Returns: Same as `receive(into:ancillary:)` with an output span.
    /// - Throws: Same as `receive(into:ancillary:)` with an output span. See recvmsg(2).
    public func receive(
        into buffer: consuming MutableSpan<UInt8>,
        ancillary: inout AncillaryData
    ) throws(Errno) -> Int? {
        try receive(overwriting: &buffer, ancillary: &ancillary)
    }

    /// Receives like `receive(into:ancillary:)`; for loops, which cannot consume the span.
    package func receive(
        overwriting buffer: inout MutableSpan<UInt8>,
        ancillary: inout AncillaryData
    ) throws(Errno) -> Int? {
        precondition(
            !buffer.isEmpty || !fileDescriptor.isStreamSocket,
            "the buffer is empty"
        )
        return try fileDescriptor.receive(into: &buffer, ancillary: &ancillary)
    }

    /// Receives like `receive(into:ancillary:)` without consuming anything.
    ///
    /// After ``setPeekOffset(_:)``, each call continues where the previous one ended. The
    /// descriptors are new duplicates.
    package func peek(
        into buffer: inout OutputSpan<UInt8>,
        ancillary: inout AncillaryData
    ) throws(Errno) -> Int? {
        precondition(buffer.freeCapacity > 0, "the buffer has no free capacity")
        return try fileDescriptor.receive(into: &buffer, ancillary: &ancillary, isPeeking: true)
    }

    /// Makes the next ``peek(into:ancillary:)`` skip the first `byteCount` bytes; see `SO_PEEK_OFF`
    /// in socket(7).
    package func setPeekOffset(_ byteCount: Int) throws(Errno) {
        try fileDescriptor.set(.peekOffset, to: CInt(clamping: byteCount))
    }

    /// Returns whether each receive includes the sender's credentials; `SO_PASSCRED`.
    public func receivesCredentials() throws(Errno) -> Bool {
        try fileDescriptor.value(of: .passCredentials) != 0
    }

    /// Sets whether each receive includes the sender's credentials.
    ///
    /// Data sent before this call may arrive without credentials.
    public func setReceivesCredentials(_ isOn: Bool) throws(Errno) {
        try fileDescriptor.set(.passCredentials, to: isOn)
    }

    /// Sets whether the socket accepts passed descriptors.
    ///
    /// The default is `true`. If the socket does not accept descriptors, a peer's send that passes
    /// some fails with `Errno.notPermitted`.
    ///
    /// - Throws: `Errno.protocolNotAvailable` before Linux 6.16. See `SO_PASSRIGHTS` in unix(7).
    public func setReceivesDescriptors(_ isOn: Bool) throws(Errno) {
        try fileDescriptor.set(.passRights, to: isOn)
    }

    /// Returns the credentials of the peer: the process that connected or, for the side that
    /// connected, the process that listened.
    ///
    /// For a pair, the credentials are those of the process that created the pair.
    public func peerCredentials() throws(Errno) -> PeerCredentials {
        try fileDescriptor.peerCredentials()
    }

    /// Returns the supplementary groups of the peer; see `SO_PEERGROUPS` in unix(7).
    public func peerGroups() throws(Errno) -> [UInt32] {
        try fileDescriptor.peerGroups()
    }

    /// Returns a pidfd of the peer's process.
    ///
    /// Unlike a process ID, it never refers to another process.
    ///
    /// - Throws: `Errno.protocolNotAvailable` before Linux 6.5, `Errno.noSuchProcess` if the
    ///   process has ended. See `SO_PEERPIDFD` in unix(7).
    public func peerProcess() throws(Errno) -> OwnedFD {
        OwnedFD(rawValue: try fileDescriptor.value(of: .peerProcess))
    }
}
#endif
