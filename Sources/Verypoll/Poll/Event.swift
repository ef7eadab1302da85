/// What became ready, and for which source.
///
/// The flags are hints: try the call, and take its `nil` for the truth. <doc:PeerGone> shows them
/// for each kind of source.
public struct Event: Sendable {
    let raw: SystemEvent

    /// The token that the source was registered with.
    public var token: Token { raw.sourceToken }

    /// The flags as epoll_ctl(2) defines them.
    public var rawMask: UInt32 { raw.flags }

    /// A read would return bytes, end of file or an error rather than block.
    ///
    /// The end of file of an empty pipe shows as ``isReadClosed`` alone, so read at either.
    public var isReadable: Bool { raw.isReadable }

    /// A write would take bytes or return an error rather than block.
    public var isWritable: Bool { raw.isWritable }

    /// Out-of-band data has come, `EPOLLPRI`.
    public var isPriority: Bool { raw.isPriority }

    /// The source failed; `takeError()` of a socket tells how.
    public var isError: Bool { raw.isError }

    /// No more bytes will come: reads return what is buffered, then end of file.
    public var isReadClosed: Bool { raw.isReadClosed }

    /// No more bytes will be taken: both ways are closed, or the reader of a pipe went away.
    public var isWriteClosed: Bool { raw.isWriteClosed }

    /// An asynchronous operation has finished: FreeBSD's alone, so never on Linux.
    public var isAIO: Bool { false }

    /// A list of asynchronous operations has finished: FreeBSD's alone, so never on Linux.
    public var isLIO: Bool { false }
}

extension Event: CustomStringConvertible {
    /// The token and the names of the flags, as in `7: in|rdhup`.
    public var description: String { "\(token.rawValue): \(raw.flagNames)" }
}
