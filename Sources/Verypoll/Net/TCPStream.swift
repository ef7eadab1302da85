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

    /// Starts a connect; ``StreamSocket/finishConnect()`` reports when it is done.
    ///
    /// Register the stream as writable: the event arrives when the connect succeeds or fails.
    ///
    /// - Throws: Errors that are known at once, such as `Errno.networkUnreachable`. See connect(2).
    public init(connectingTo address: SocketAddress) throws(Errno) {
        let socket = try OwnedFD.socket(for: address, .stream)
        try socket.connect(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes ownership of a TCP socket that does not listen, and makes it non-blocking and
    /// close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket`,
    ///   `Errno.addressFamilyNotSupported`, or `Errno.invalidArgument` if it listens. On error, the
    ///   descriptor is closed.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: OwnedFD.internetFamilies, type: .stream)
        self.socket = socket
    }

    /// Returns the address of this end.
    public func localAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.localAddress().socketAddress
    }

    /// Returns the address of the other end.
    ///
    /// - Throws: `Errno.socketNotConnected` before the connect is done, or after a reset.
    public func peerAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.peerAddress().socketAddress
    }

    /// Returns the number of written bytes that the kernel has not sent yet.
    ///
    /// See `SIOCOUTQNSD` in linux/sockios.h.
    public func unsentByteCount() throws(Errno) -> Int {
        try fileDescriptor.unsentByteCount()
    }

    /// Resets the connection: unsent bytes are lost, and the peer sees a reset.
    public consuming func reset() {
        // With a linger time of 0, close(2) sends a reset. If the option cannot be set, close(2)
        // ends the connection normally.
        try? socket.setLingerToZero()
    }

    /// Gives up ownership of the descriptor without closing it.
    public consuming func release() -> OwnedFD { socket }
}
#endif
