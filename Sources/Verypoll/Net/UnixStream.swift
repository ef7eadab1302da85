#if Net
public import SystemPackage

/// A connected, non-blocking Unix-domain stream socket, closed when it goes out of scope.
public struct UnixStream: ~Copyable, StreamSocket, UnixSocket {
    private let socket: OwnedFD

    /// The socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    init(socket: consuming OwnedFD) {
        self.socket = socket
    }

    /// Connects to a listening socket.
    ///
    /// The connect succeeds or fails at once.
    ///
    /// - Throws: `Errno.resourceTemporarilyUnavailable` if the listener's backlog is full: no event
    ///   reports room, so retry later. `Errno.connectionRefused` if no socket listens at the
    ///   address, `Errno.noSuchFileOrDirectory` if the file does not exist. See connect(2) and
    ///   unix(7).
    public init(connectingTo address: UnixAddress) throws(Errno) {
        let socket = try OwnedFD.socket(family: OwnedFD.unixFamily, .stream)
        try socket.connect(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes ownership of a Unix-domain stream socket that does not listen, and makes it
    /// non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket`,
    ///   `Errno.addressFamilyNotSupported`, or `Errno.invalidArgument` if it listens. On error, the
    ///   descriptor is closed.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: [OwnedFD.unixFamily], type: .stream)
        self.socket = socket
    }

    /// Creates two sockets that are connected to each other; see socketpair(2).
    public static func pair() throws(Errno) -> Pair {
        let (first, second) = try OwnedFD.socketPair(.stream)
        return Pair(
            first: UnixStream(socket: OwnedFD(rawValue: first)),
            second: UnixStream(socket: OwnedFD(rawValue: second))
        )
    }

    /// Two connected sockets.
    ///
    /// A struct, because tuples cannot hold noncopyable values.
    @frozen public struct Pair: ~Copyable, Sendable {
        /// One end.
        public let first: UnixStream
        /// The other end.
        public let second: UnixStream
    }

    /// Returns the address of this end, usually ``UnixAddress/unnamed`` for the end that connected.
    public func localAddress() throws(Errno) -> UnixAddress {
        try fileDescriptor.localAddress().unixAddress
    }

    /// Returns the address of the other end.
    public func peerAddress() throws(Errno) -> UnixAddress {
        try fileDescriptor.peerAddress().unixAddress
    }

    /// Gives up ownership of the descriptor without closing it.
    public consuming func release() -> OwnedFD { socket }
}
#endif
