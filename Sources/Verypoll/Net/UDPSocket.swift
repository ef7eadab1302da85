#if Net
public import SystemPackage

/// A non-blocking UDP socket, closed when it goes out of scope.
///
/// ```swift
/// let socket = try UDPSocket(binding: .loopback(port: 0))
/// var buffer: [UInt8] = []
/// buffer.reserveCapacity(65_536)
/// var received: UDPSocket.Received?
/// try buffer.append(addingCapacity: 65_536) { received = try socket.receiveFrom(into: &$0) }
/// if let received { print("\(received.byteCount) bytes from \(received.sender)") }
/// ```
public struct UDPSocket: ~Copyable, DatagramSocket, IPSocket {
    private let socket: OwnedFD

    /// The socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    /// Binds to `address`.
    ///
    /// - Parameters:
    ///   - address: Where; port 0 lets the kernel choose one.
    ///   - options: What must be set before the socket is bound.
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

    /// Takes over a UDP socket, and makes it non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket` or
    ///   `Errno.addressFamilyNotSupported`. The descriptor is closed then.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: OwnedFD.internetFamilies, type: .datagram)
        self.socket = socket
    }

    /// Sets the one peer that datagrams are sent to and received from; it can be changed.
    ///
    /// - Throws: `Errno.networkUnreachable` if no route leads there. See connect(2).
    public func connect(to address: SocketAddress) throws(Errno) {
        try socket.connect(to: KernelAddress(address))
    }

    /// The address bound to, with the port that the kernel chose where 0 was asked for.
    public func localAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.localAddress().socketAddress
    }

    /// The address that it is connected to.
    ///
    /// - Throws: `Errno.socketNotConnected` if it is not.
    public func peerAddress() throws(Errno) -> SocketAddress {
        try fileDescriptor.peerAddress().socketAddress
    }

    /// Sends a datagram to an address.
    ///
    /// - Parameters:
    ///   - bytes: All of the datagram; none make an empty one.
    ///   - address: Where to, also where the socket is connected elsewhere.
    /// - Returns: The number of bytes sent, which is all, or `nil` if there is no room yet.
    /// - Throws: `Errno.messageTooLong` over what fits a datagram, `Errno.permissionDenied` for a
    ///   broadcast that is not allowed. See sendto(2).
    public func send(_ bytes: Span<UInt8>, to address: SocketAddress) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes, to: KernelAddress(address))
    }

    /// A datagram's length and where it came from.
    public struct Received: Hashable, Sendable {
        /// The length as it was sent, more than was stored if it did not fit.
        public let byteCount: Int
        /// Who sent it.
        public let sender: SocketAddress
    }

    /// Takes the next datagram and tells who sent it.
    ///
    /// - Parameter buffer: As for ``DatagramSocket/receive(into:)``.
    /// - Returns: What came, or `nil` if nothing is there yet.
    /// - Throws: As ``DatagramSocket/receive(into:)``. See recvfrom(2).
    public func receiveFrom(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Received? {
        try receive(into: &buffer, peeks: false)
    }

    /// Copies the next datagram as ``receiveFrom(into:)`` does, and leaves it to be received.
    public func peekFrom(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Received? {
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
        guard let byteCount else { return nil }
        return Received(byteCount: byteCount, sender: try sender.socketAddress)
    }

    /// Gives the socket up without closing it.
    public consuming func release() -> OwnedFD { socket }
}

extension UDPSocket {
    /// What a socket is given before it is bound.
    public struct Options: Hashable, Sendable {
        /// Shares the address with others that ask for this, each of whom receives a multicast;
        /// `SO_REUSEADDR`.
        public var reusesAddress = false

        /// Shares the port with other sockets that ask for this too, the kernel spreading
        /// datagrams over them by their senders; `SO_REUSEPORT`.
        public var reusesPort = false

        /// Binds to an address that no interface has yet; `IP_FREEBIND`.
        public var freeBinds = false

        /// Keeps IPv4 off an IPv6 socket; `IPV6_V6ONLY`.
        ///
        /// If not, `[::]` takes both.
        public var isOnlyV6 = false

        /// The defaults.
        public init() {}
    }
}
#endif
