/// A source that became ready, with flags for the kinds of readiness.
///
/// The flags are hints: make the call and rely on its result, where `nil` means not ready.
/// <doc:PeerGone> lists the flags for each kind of source.
public struct Event: Sendable {
    let raw: SystemEvent

    /// The token that the source was registered with.
    public var token: Token { raw.sourceToken }

    /// The flags as epoll_ctl(2) defines them.
    public var rawMask: UInt32 { raw.flags }

    /// Whether a read would return bytes, end of file or an error rather than block.
    ///
    /// The end of file of an empty pipe sets only ``isReadClosed``, so read if either flag is set.
    public var isReadable: Bool { raw.isReadable }

    /// Whether a write would accept bytes or return an error rather than block.
    public var isWritable: Bool { raw.isWritable }

    /// Whether out-of-band data has arrived; `EPOLLPRI`.
    public var isPriority: Bool { raw.isPriority }

    /// Whether the source failed; `takeError()` of a socket returns the error.
    public var isError: Bool { raw.isError }

    /// Whether no more bytes will arrive: reads return the buffered bytes, then end of file.
    public var isReadClosed: Bool { raw.isReadClosed }

    /// Whether no more bytes can be written: both directions are closed, or the pipe has no reader.
    public var isWriteClosed: Bool { raw.isWriteClosed }

    /// Whether an asynchronous operation has finished; FreeBSD only, so always `false` on Linux.
    public var isAIO: Bool { false }

    /// Whether a list of asynchronous operations has finished; FreeBSD only, so always `false` on
    /// Linux.
    public var isLIO: Bool { false }
}

extension Event: CustomStringConvertible {
    /// The token and the names of the flags, as in `7: in|rdhup`.
    public var description: String { "\(token.rawValue): \(raw.flagNames)" }
}
