#if Net
public import SystemPackage

/// A connected, non-blocking TCP socket, closed when it goes out of scope.
public struct TCPStream: ~Copyable, StreamSocket, TCPSocket {
    private let socket: OwnedFD

    /// The socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    init(socket: consuming OwnedFD) {
        self.socket = socket
    }

    /// Starts to connect; ``StreamSocket/finishConnect()`` tells when it is done.
    ///
    /// Register it as writable; the event comes when the connection is made or has failed.
    ///
    /// - Throws: Errors that are known at once, as `Errno.networkUnreachable`. See connect(2).
    public init(connectingTo address: SocketAddress) throws(Errno) {
        let socket = try OwnedFD.socket(for: address, .stream)
        try socket.connect(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes over a TCP socket that does not listen, and makes it non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket`,
    ///   `Errno.addressFamilyNotSupported`, or `Errno.invalidArgument` if it listens. The
    ///   descriptor is closed then.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: OwnedFD.internetFamilies, type: .stream)
        self.socket = socket
    }

    /// The address of this end.
    public func localAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.localAddress().socketAddress
    }

    /// The address of the other end.
    ///
    /// - Throws: `Errno.socketNotConnected` before the connect is done, or after a reset.
    public func peerAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.peerAddress().socketAddress
    }

    /// The bytes that were written but wait here until the peer has room for them.
    ///
    /// See `SIOCOUTQNSD` in tcp(7).
    public func unsentByteCount() throws(Errno) -> Int {
        try fileDescriptor.unsentByteCount()
    }

    /// Breaks the connection: what was not sent is lost, and the peer sees a reset.
    public consuming func reset() {
        // Without lingering, close(2) sends a reset. Where even that fails, it closes as ever.
        try? socket.setLingerToZero()
    }

    /// Gives the socket up without closing it.
    public consuming func release() -> OwnedFD { socket }
}
#endif
