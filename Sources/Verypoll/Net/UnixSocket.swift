#if Net
public import SystemPackage

/// A Unix-domain socket over which processes talk: ``UnixStream``, ``UnixDatagram``.
public protocol UnixSocket: Socket, ~Copyable {}

extension UnixSocket where Self: ~Copyable {
    /// Sends bytes and, with the first of them, descriptors and credentials.
    ///
    /// - Parameters:
    ///   - bytes: What to send. A stream carries descriptors only with bytes: none are a
    ///     programmer's error and trap, while an empty datagram may carry them.
    ///   - descriptors: Open descriptors, 253 at most, of which the receiver gets duplicates. They
    ///     stay yours, to close when this has returned.
    ///   - credentials: Who sends; anything but this process' own take privileges. Without any, the
    ///     kernel fills in the true ones for a receiver who asked by
    ///     ``setReceivesCredentials(_:)``.
    /// - Returns: The number of bytes taken: the descriptors went with the first of them, and the
    ///   rest can be sent as ever. `nil` if there is no room yet, and nothing was sent.
    /// - Throws: `Errno.badFileDescriptor` if one is not open, `Errno.notPermitted` for a lie about
    ///   the credentials, `Errno.tooManyReferences` with too many descriptors under way. See
    ///   sendmsg(2) and unix(7).
    public func send(
        _ bytes: Span<UInt8>,
        passing descriptors: [FileDescriptor],
        credentials: PeerCredentials? = nil
    ) throws(Errno) -> Int? {
        precondition(
            !bytes.isEmpty || descriptors.isEmpty || !fileDescriptor.isStreamSocket,
            "a stream passes descriptors only with bytes"
        )
        return try fileDescriptor.send(
            bytes,
            to: nil,
            control: ControlMessages.encode(descriptors, credentials)
        )
    }

    /// Receives bytes, and what came beside them.
    ///
    /// One call takes what one ``send(_:passing:credentials:)`` passed, and not what the next did.
    ///
    /// - Parameters:
    ///   - buffer: What the bytes are appended to; for a stream, one without room is a
    ///     programmer's error and traps.
    ///   - ancillary: Where descriptors and credentials go. What is left there from before is
    ///     closed first.
    /// - Returns: As `read(into:)` of a stream, `receive(into:)` of a datagram socket.
    /// - Throws: As those. See recvmsg(2).
    public func receive(
        into buffer: inout OutputSpan<UInt8>,
        ancillary: inout AncillaryData
    ) throws(Errno) -> Int? {
        // Receiving no bytes gives 0 as well, and would pass for the end of file.
        precondition(
            buffer.freeCapacity > 0 || !fileDescriptor.isStreamSocket,
            "no room to read into"
        )
        return try fileDescriptor.receive(into: &buffer, ancillary: &ancillary)
    }

    /// Receives as ``receive(into:ancillary:)`` does, and leaves everything there for others.
    ///
    /// Each call goes on behind the last one, once ``setPeekOffset(_:)`` has been called. The
    /// descriptors are new duplicates.
    package func peek(
        into buffer: inout OutputSpan<UInt8>,
        ancillary: inout AncillaryData
    ) throws(Errno) -> Int? {
        precondition(buffer.freeCapacity > 0, "no room to read into")
        return try fileDescriptor.receive(into: &buffer, ancillary: &ancillary, isPeeking: true)
    }

    /// Has the next ``peek(into:ancillary:)`` begin behind so many bytes; see `SO_PEEK_OFF` in
    /// socket(7).
    package func setPeekOffset(_ byteCount: Int) throws(Errno) {
        try fileDescriptor.set(.peekOffset, to: CInt(clamping: byteCount))
    }

    /// Whether each receive tells the sender's credentials; `SO_PASSCRED`.
    public func receivesCredentials() throws(Errno) -> Bool {
        try fileDescriptor.value(of: .passCredentials) != 0
    }

    /// Asks for the sender's credentials beside what is received.
    ///
    /// What is sent before this is called may come without them.
    public func setReceivesCredentials(_ isOn: Bool) throws(Errno) {
        try fileDescriptor.set(.passCredentials, to: isOn)
    }

    /// Accepts passed descriptors, as is the default, or refuses them: then sends that pass some
    /// fail with `Errno.notPermitted`.
    ///
    /// - Throws: `Errno.protocolNotAvailable` before Linux 6.16. See `SO_PASSRIGHTS` in unix(7).
    public func setReceivesDescriptors(_ isOn: Bool) throws(Errno) {
        try fileDescriptor.set(.passRights, to: isOn)
    }

    /// The user, group and process that connected or, seen from them, that listened; of a pair,
    /// who made it.
    public func peerCredentials() throws(Errno) -> PeerCredentials {
        try fileDescriptor.peerCredentials()
    }

    /// The supplementary groups of the peer; see `SO_PEERGROUPS` in unix(7).
    public func peerGroups() throws(Errno) -> [UInt32] {
        try fileDescriptor.peerGroups()
    }

    /// A pidfd of the peer's process, which cannot come to mean another as a number can.
    ///
    /// - Throws: `Errno.protocolNotAvailable` before Linux 6.5, `Errno.noSuchProcess` if it has
    ///   ended. See `SO_PEERPIDFD` in unix(7).
    public func peerProcess() throws(Errno) -> OwnedFD {
        OwnedFD(rawValue: try fileDescriptor.value(of: .peerProcess))
    }
}
#endif
