#if Net
public import SystemPackage

/// A non-blocking TCP socket that accepts connections, closed when it goes out of scope.
///
/// ```swift
/// let listener = try TCPListener(binding: .loopback(port: 0))
/// while let accepted = try listener.accept() {
///     print(accepted.peer, try accepted.stream.noDelay())
/// }
/// ```
public struct TCPListener: ~Copyable, TCPSocket {
    private let socket: OwnedFD

    /// The listening socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    /// Binds to `address` and listens.
    ///
    /// - Parameters:
    ///   - address: The address to bind to. Port 0 lets the kernel choose a port.
    ///   - options: The options to set before the socket listens.
    /// - Throws: `Errno.addressInUse` if the port is taken, `Errno.addressNotAvailable` if no
    ///   interface has the address. See bind(2) and listen(2).
    public init(binding address: SocketAddress, options: Options = Options()) throws(Errno) {
        let socket = try OwnedFD.socket(for: address, .stream)
        try options.apply(to: socket, family: address.ip.family)
        try socket.bind(to: KernelAddress(address))
        try socket.listen(backlog: options.backlog)
        self.socket = socket
    }

    /// Binds to `address` without listening: the port is reserved, and connections are refused
    /// until ``setBacklog(_:)`` is called.
    ///
    /// - Throws: Same as ``init(binding:options:)``.
    package init(reserving address: SocketAddress, options: Options) throws(Errno) {
        let socket = try OwnedFD.socket(for: address, .stream)
        try options.apply(to: socket, family: address.ip.family)
        try socket.bind(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes ownership of a listening socket, such as one passed by systemd, and makes it
    /// non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket`,
    ///   `Errno.addressFamilyNotSupported`, or `Errno.invalidArgument` if it does not listen. On
    ///   error, the descriptor is closed.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: OwnedFD.internetFamilies, type: .stream, isListening: true)
        self.socket = socket
    }

    /// Returns the bound address, with the actual port if the kernel chose it.
    public func localAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.localAddress().socketAddress
    }

    /// Accepts the next connection from the backlog.
    ///
    /// - Returns: The connection, non-blocking and close-on-exec, or `nil` if none is waiting.
    /// - Throws: The error of the accept; ``AcceptFailure`` classifies it. If the process is out of
    ///   descriptors, the connection stays in the backlog and no new edge reports it. See
    ///   accept(2).
    public func accept() throws(Errno) -> Accepted? {
        var peer = KernelAddress()
        guard let descriptor = try socket.accept(peer: &peer) else { return nil }
        let stream = TCPStream(socket: OwnedFD(rawValue: descriptor))
        return Accepted(stream: stream, peer: try peer.socketAddress)
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
        public let stream: TCPStream
        /// The address of the other end.
        public let peer: SocketAddress
    }
}

extension TCPListener {
    /// The options of a listening socket, set before it is bound.
    public struct Options: Hashable, Sendable {
        /// The most connections that may wait to be accepted; the kernel caps it at
        /// `net.core.somaxconn`.
        public var backlog = 4096

        /// Whether to bind even if connections of an earlier socket are in TIME-WAIT;
        /// `SO_REUSEADDR`.
        public var reusesAddress = true

        /// Whether to share the port with other sockets that set this option.
        ///
        /// The kernel distributes connections among them; `SO_REUSEPORT`.
        public var reusesPort = false

        /// Whether to bind even if no interface has the address yet; `IP_FREEBIND`.
        public var freeBinds = false

        /// Whether an IPv6 socket excludes IPv4; `IPV6_V6ONLY`.
        ///
        /// If `false`, `[::]` accepts both.
        public var isOnlyV6 = false

        /// How long a connection without data is kept out of the backlog; `TCP_DEFER_ACCEPT`.
        ///
        /// In whole seconds, rounded up. With `nil`, each connection can be accepted at once.
        public var deferredAccept: Duration?

        /// The most pending connections whose first packet carried data; `TCP_FASTOPEN`.
        ///
        /// `nil` turns TCP Fast Open off. The sysctl `net.ipv4.tcp_fastopen` must allow it.
        public var fastOpen: Int?

        /// The defaults.
        public init() {}

        fileprivate func apply(
            to socket: borrowing OwnedFD,
            family: IPAddress.Family
        ) throws(Errno) {
            try socket.prepareToBind(
                family,
                reusesAddress: reusesAddress,
                reusesPort: reusesPort,
                freeBinds: freeBinds,
                isOnlyV6: isOnlyV6
            )
            if let deferredAccept {
                try socket.set(.deferAccept, to: deferredAccept.roundedUp(to: .seconds(1)))
            }
            if let fastOpen { try socket.set(.fastOpen, to: CInt(clamping: fastOpen)) }
        }
    }
}
#endif
