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
    ///   - address: Where; port 0 lets the kernel choose one.
    ///   - options: What must be set before the socket listens.
    /// - Throws: `Errno.addressInUse` if the port is taken, `Errno.addressNotAvailable` if no
    ///   interface has the address. See bind(2) and listen(2).
    public init(binding address: SocketAddress, options: Options = Options()) throws(Errno) {
        let socket = try OwnedFD.socket(for: address, .stream)
        try options.apply(to: socket, family: address.ip.family)
        try socket.bind(to: KernelAddress(address))
        try socket.listen(backlog: options.backlog)
        self.socket = socket
    }

    /// Binds to `address` without listening: the port is taken, and connections are refused until
    /// ``setBacklog(_:)`` is called.
    ///
    /// - Throws: As ``init(binding:options:)``.
    package init(reserving address: SocketAddress, options: Options) throws(Errno) {
        let socket = try OwnedFD.socket(for: address, .stream)
        try options.apply(to: socket, family: address.ip.family)
        try socket.bind(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes over a socket that listens already, as one passed by systemd, and makes it
    /// non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket`,
    ///   `Errno.addressFamilyNotSupported`, or `Errno.invalidArgument` if it does not listen. The
    ///   descriptor is closed then.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: OwnedFD.internetFamilies, type: .stream, isListening: true)
        self.socket = socket
    }

    /// The address bound to, with the port that the kernel chose where 0 was asked for.
    public func localAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.localAddress().socketAddress
    }

    /// Takes the next connection off the backlog.
    ///
    /// - Returns: The connection, non-blocking and close-on-exec, or `nil` if none is waiting.
    /// - Throws: Why none was accepted; ``AcceptFailure`` tells what to do about it. When out of
    ///   descriptors the connection stays in the backlog, and no new edge will tell of it. See
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

    /// Gives the socket up without closing it.
    public consuming func release() -> OwnedFD { socket }

    /// A connection and where it came from.
    ///
    /// Frozen, or else other modules could not move `stream` out of it.
    @frozen public struct Accepted: ~Copyable, Sendable {
        /// The connected socket.
        public let stream: TCPStream
        /// The address of the other end.
        public let peer: SocketAddress
    }
}

extension TCPListener {
    /// What a listening socket is given before it is bound.
    public struct Options: Hashable, Sendable {
        /// How many connections may wait to be accepted; the kernel caps it at
        /// `net.core.somaxconn`.
        public var backlog = 4096

        /// Binds although connections of an earlier socket linger in TIME-WAIT; `SO_REUSEADDR`.
        public var reusesAddress = true

        /// Shares the port with other sockets that ask for this too, the kernel spreading
        /// connections over them; `SO_REUSEPORT`.
        public var reusesPort = false

        /// Binds to an address that no interface has yet; `IP_FREEBIND`.
        public var freeBinds = false

        /// Keeps IPv4 off an IPv6 socket; `IPV6_V6ONLY`.
        ///
        /// If not, `[::]` takes both.
        public var isOnlyV6 = false

        /// How long a connection without data stays out of the backlog; `TCP_DEFER_ACCEPT`.
        ///
        /// Whole seconds, rounded up; `nil` shows each connection at once.
        public var deferredAccept: Duration?

        /// How many connections may wait whose first packet carried data; `TCP_FASTOPEN`.
        ///
        /// `nil` takes no data in a first packet. The sysctl `net.ipv4.tcp_fastopen` must allow it.
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
