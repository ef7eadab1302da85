#if Net
public import SystemPackage

/// A connected, non-blocking vsock stream socket, closed when it goes out of scope.
///
/// A reset by the peer may look like an end of file, unlike with TCP. See vsock(7).
public struct VsockStream: ~Copyable, StreamSocket {
    private let socket: OwnedFD

    /// The socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    init(socket: consuming OwnedFD) {
        self.socket = socket
    }

    /// Starts a connect; ``StreamSocket/finishConnect()`` reports when it is done.
    ///
    /// Register the stream as writable: the event arrives when the connect succeeds or fails. A
    /// connect that is not answered fails after 2 seconds with `Errno.timedOut`. If nothing listens
    /// at the port, it fails with `Errno.connectionReset`.
    ///
    /// - Throws: Errors that are known at once: `Errno.addressFamilyNotSupported` if the kernel has
    ///   no vsock, `Errno.operationNotSupportedByDevice` or `Errno.networkUnreachable` if no
    ///   transport leads to the CID. See vsock(7).
    public init(connectingTo address: VsockAddress) throws(Errno) {
        let socket = try OwnedFD.socket(family: OwnedFD.vsockFamily, .stream)
        try socket.connect(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes ownership of a vsock stream socket that does not listen, and makes it non-blocking and
    /// close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket`,
    ///   `Errno.addressFamilyNotSupported`, or `Errno.invalidArgument` if it listens. On error, the
    ///   descriptor is closed.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: [OwnedFD.vsockFamily], type: .stream)
        self.socket = socket
    }

    /// Returns the address of this end.
    ///
    /// The CID of a client is ``VsockAddress/anyCID``; the peer sees the CID of this machine.
    public func localAddress() throws(Errno) -> VsockAddress {
        try fileDescriptor.localAddress().vsockAddress
    }

    /// Returns the address of the other end.
    ///
    /// - Throws: `Errno.socketNotConnected` before the connect is done, and after
    ///   ``StreamSocket/shutdown(_:)``, even of one direction.
    public func peerAddress() throws(Errno) -> VsockAddress {
        try fileDescriptor.peerAddress().vsockAddress
    }

    /// Gives up ownership of the descriptor without closing it.
    public consuming func release() -> OwnedFD { socket }
}
#endif
