#if Net
public import SystemPackage

/// A non-blocking Unix-domain stream socket that accepts connections.
///
/// It is closed when it goes out of scope. The file at its path remains, and the caller must remove
/// it.
public struct UnixListener: ~Copyable, Socket {
    private let socket: OwnedFD

    /// The listening socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    /// Binds to `address` and listens.
    ///
    /// - Parameters:
    ///   - address: A path where no file exists yet, or an abstract name. For
    ///     ``UnixAddress/unnamed``, the kernel chooses an abstract name.
    ///   - backlog: The most connections that may wait to be accepted; the kernel caps it at
    ///     `net.core.somaxconn`.
    /// - Throws: `Errno.addressInUse` if the file exists, even if no socket listens on it anymore;
    ///   `Errno.fileNameTooLong` for more than 107 bytes. See bind(2) and unix(7).
    public init(binding address: UnixAddress, backlog: Int = 4096) throws(Errno) {
        let socket = try OwnedFD.socket(family: OwnedFD.unixFamily, .stream)
        try socket.bind(to: KernelAddress(address))
        try socket.listen(backlog: backlog)
        self.socket = socket
    }

    /// Binds to a path and listens; the new file never has a wider mode than `mode`.
    ///
    /// bind(2) gives the file the mode of the socket itself, minus the umask.
    ///
    /// - Throws: See ``init(binding:backlog:)`` and fchmod(2).
    package init(
        binding path: FilePath,
        mode: FilePermissions,
        backlog: Int
    ) throws(Errno) {
        let socket = try OwnedFD.socket(family: OwnedFD.unixFamily, .stream)
        try socket.setMode(mode)
        try socket.bind(to: KernelAddress(.path(path)))
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
        try socket.adopt(families: [OwnedFD.unixFamily], type: .stream, isListening: true)
        self.socket = socket
    }

    /// Returns the bound address.
    public func localAddress() throws(Errno) -> UnixAddress {
        try fileDescriptor.localAddress().unixAddress
    }

    /// Accepts the next connection from the backlog.
    ///
    /// - Returns: The connection, non-blocking and close-on-exec, or `nil` if none is waiting.
    /// - Throws: Same as ``TCPListener/accept()``.
    public func accept() throws(Errno) -> Accepted? {
        var peer = KernelAddress()
        guard let descriptor = try socket.accept(peer: &peer) else { return nil }
        let stream = UnixStream(socket: OwnedFD(rawValue: descriptor))
        return Accepted(stream: stream, peer: try peer.unixAddress)
    }

    /// Changes how many connections may wait to be accepted; see listen(2).
    public func setBacklog(_ backlog: Int) throws(Errno) {
        try socket.listen(backlog: backlog)
    }

    /// Gives up ownership of the descriptor without closing it.
    public consuming func release() -> OwnedFD { socket }

    /// An accepted connection and its peer's address, usually ``UnixAddress/unnamed``.
    ///
    /// Frozen, so that other modules can move `stream` out of it.
    @frozen public struct Accepted: ~Copyable, Sendable {
        /// The connected socket.
        public let stream: UnixStream
        /// The address of the other end.
        public let peer: UnixAddress
    }
}
#endif
