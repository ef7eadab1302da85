#if Net
public import SystemPackage

/// A non-blocking UDP socket, closed when it goes out of scope.
///
/// ```swift
/// let socket = try UDPSocket(binding: .loopback(port: 0))
/// var buffer = [UInt8](repeating: 0, count: 65_536)
/// while let received = try socket.receiveFrom(into: buffer.mutableSpan) {
///     print("\(received.byteCount) bytes from \(received.sender)")
/// }
/// ```
public struct UDPSocket: ~Copyable, DatagramSocket, IPSocket {
    private let socket: OwnedFD

    /// The socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    /// Binds to `address`.
    ///
    /// - Parameters:
    ///   - address: The address to bind to. Port 0 lets the kernel choose a port.
    ///   - options: The options to set before the socket is bound.
    /// - Throws: `Errno.addressInUse` if the port is taken, `Errno.addressNotAvailable` if no
    ///   interface has the address. See bind(2) and udp(7).
    public init(binding address: SocketAddress, options: Options = Options()) throws(Errno) {
        let socket = try OwnedFD.socket(for: address, .datagram)
        try socket.prepareToBind(
            address.ip.family,
            reusesAddress: options.reusesAddress,
            reusesPort: options.reusesPort,
            freeBinds: options.freeBinds,
            isOnlyV6: options.isOnlyV6
        )
        try socket.bind(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes ownership of a UDP socket, and makes it non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket` or
    ///   `Errno.addressFamilyNotSupported`. On error, the descriptor is closed.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: OwnedFD.internetFamilies, type: .datagram)
        self.socket = socket
    }

    /// Sets the peer that datagrams without a destination are sent to, and the only one that
    /// datagrams are received from.
    ///
    /// A later call can change the peer.
    ///
    /// - Throws: `Errno.networkUnreachable` if there is no route to the address. See connect(2).
    public func connect(to address: SocketAddress) throws(Errno) {
        try socket.connect(to: KernelAddress(address))
    }

    /// Returns the bound address, with the actual port if the kernel chose it.
    public func localAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.localAddress().socketAddress
    }

    /// Returns the address that the socket is connected to.
    ///
    /// - Throws: `Errno.socketNotConnected` if the socket is not connected.
    public func peerAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.peerAddress().socketAddress
    }

    /// Sends a datagram to an address.
    ///
    /// - Parameters:
    ///   - bytes: The whole datagram. An empty span sends an empty datagram.
    ///   - address: The destination, even if the socket is connected to another address.
    /// - Returns: The number of bytes sent, which is always all, or `nil` if there is no room yet.
    /// - Throws: `Errno.messageTooLong` if the datagram is too large, `Errno.permissionDenied` for
    ///   a broadcast without ``setBroadcast(_:)``. See sendto(2).
    public func send(_ bytes: Span<UInt8>, to address: SocketAddress) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes, to: KernelAddress(address))
    }

    /// The length and the sender of a received datagram.
    public struct Received: Hashable, Sendable {
        /// The length as it was sent, which is more than was stored if the datagram did not fit.
        public let byteCount: Int
        /// The sender's address.
        public let sender: SocketAddress

        /// `nil` without a datagram.
        fileprivate init?(_ byteCount: Int?, from sender: KernelAddress) throws(Errno) {
            guard let byteCount else { return nil }
            self.byteCount = byteCount
            self.sender = try sender.socketAddress
        }
    }

    /// Receives the next datagram and its sender's address.
    ///
    /// - Parameter buffer: The buffer to append to, as for `receive(into:)`.
    /// - Returns: The datagram's length and sender, or `nil` if none is available yet.
    /// - Throws: Same as `receive(into:)`. See recvfrom(2).
    public func receiveFrom(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Received? {
        try receive(into: &buffer, peeks: false)
    }

    /// Receives the next datagram and its sender's address, overwriting `buffer` from the start.
    ///
    /// - Parameter buffer: The buffer to overwrite, as for `receive(into:)`.
    /// - Returns: The datagram's length and sender, or `nil` if none is available yet.
    /// - Throws: Same as `receive(into:)`. See recvfrom(2).
    public func receiveFrom(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Received? {
        try receive(into: &buffer, peeks: false)
    }

    /// Appends the next datagram to `buffer` like `receiveFrom(into:)`, without consuming it.
    public func peekFrom(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Received? {
        try receive(into: &buffer, peeks: true)
    }

    /// Copies the next datagram over the start of `buffer` like `receiveFrom(into:)`, without
    /// consuming it.
    public func peekFrom(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Received? {
        try receive(into: &buffer, peeks: true)
    }

    private func receive(
        into buffer: inout OutputSpan<UInt8>,
        peeks: Bool
    ) throws(Errno) -> Received? {
        var sender = KernelAddress()
        let byteCount = try fileDescriptor.receiveDatagram(
            into: &buffer,
            from: &sender,
            peeks: peeks
        )
        return try Received(byteCount, from: sender)
    }

    /// Receives or copies the next datagram; for loops, which cannot consume the span.
    package func receive(
        into buffer: inout MutableSpan<UInt8>,
        peeks: Bool
    ) throws(Errno) -> Received? {
        var sender = KernelAddress()
        let byteCount = try fileDescriptor.receiveDatagram(
            into: &buffer,
            from: &sender,
            peeks: peeks
        )
        return try Received(byteCount, from: sender)
    }

    /// Gives up ownership of the descriptor without closing it.
    public consuming func release() -> OwnedFD { socket }
}

extension UDPSocket {
    /// The options of a UDP socket, set before it is bound.
    public struct Options: Hashable, Sendable {
        /// Whether to share the address with other sockets that set this option.
        ///
        /// Each of these sockets receives every multicast datagram; `SO_REUSEADDR`.
        public var reusesAddress = false

        /// Whether to share the port with other sockets that set this option.
        ///
        /// The kernel distributes datagrams among them by sender; `SO_REUSEPORT`.
        public var reusesPort = false

        /// Whether to bind even if no interface has the address yet; `IP_FREEBIND`.
        public var freeBinds = false

        /// Whether an IPv6 socket excludes IPv4; `IPV6_V6ONLY`.
        ///
        /// If `false`, `[::]` accepts both.
        public var isOnlyV6 = false

        /// The defaults.
        public init() {}
    }
}
#endif
