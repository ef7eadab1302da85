#if Net
public import SystemPackage

/// A non-blocking vsock stream socket that accepts connections from virtual machines or their host.
///
/// It is closed when it goes out of scope. See vsock(7).
public struct VsockListener: ~Copyable, Socket {
    private let socket: OwnedFD

    /// The listening socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    /// Binds to `address` and listens.
    ///
    /// - Parameters:
    ///   - address: A CID of this machine, or ``VsockAddress/anyCID``. For
    ///     ``VsockAddress/anyPort``, the kernel chooses a port.
    ///   - backlog: The most connections that may wait to be accepted.
    /// - Throws: `Errno.addressFamilyNotSupported` if the kernel has no vsock,
    ///   `Errno.addressNotAvailable` if the CID is not one of this machine,
    ///   `Errno.addressInUse` if a socket has the port at the CID or at all CIDs,
    ///   `Errno.permissionDenied` for a port below 1024 without `CAP_NET_BIND_SERVICE`. See
    ///   vsock(7).
    public init(binding address: VsockAddress, backlog: Int = 4096) throws(Errno) {
        let socket = try OwnedFD.socket(family: OwnedFD.vsockFamily, .stream)
        try socket.bind(to: KernelAddress(address))
        try socket.listen(backlog: backlog)
        self.socket = socket
    }

    /// Takes ownership of a listening socket, such as one passed by systemd, and makes it
    /// non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket`,
    ///   `Errno.addressFamilyNotSupported`, or `Errno.invalidArgument` if it does not listen. On
    ///   error, the descriptor is closed.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: [OwnedFD.vsockFamily], type: .stream, isListening: true)
        self.socket = socket
    }

    /// Returns the bound address.
    public func localAddress() throws(Errno) -> VsockAddress {
        try fileDescriptor.localAddress().vsockAddress
    }

    /// Accepts the next connection from the backlog.
    ///
    /// - Returns: The connection, non-blocking and close-on-exec, or `nil` if none is waiting.
    /// - Throws: Same as ``TCPListener/accept()``.
    public func accept() throws(Errno) -> Accepted? {
        var peer = KernelAddress()
        guard let descriptor = try socket.accept(peer: &peer) else { return nil }
        let stream = VsockStream(socket: OwnedFD(rawValue: descriptor))
        return Accepted(stream: stream, peer: try peer.vsockAddress)
    }

    /// Changes how many connections may wait to be accepted; see listen(2).
    public func setBacklog(_ backlog: Int) throws(Errno) {
        try socket.listen(backlog: backlog)
    }

    /// Gives up ownership of the descriptor without closing it.
    public consuming func release() -> OwnedFD { socket }

    /// An accepted connection and its peer's address.
    ///
    /// Frozen, so that other modules can move `stream` out of it.
    @frozen public struct Accepted: ~Copyable, Sendable {
        /// The connected socket.
        public let stream: VsockStream
        /// The address of the other end.
        public let peer: VsockAddress
    }
}
#endif
