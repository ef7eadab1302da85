#if Net
public import SystemPackage

/// A non-blocking Unix-domain datagram socket, closed when it goes out of scope.
///
/// The file of its path stays, and is the caller's to remove. No datagram is ever lost: a sender
/// waits for a receiver whose queue is full.
public struct UnixDatagram: ~Copyable, DatagramSocket, UnixSocket {
    private let socket: OwnedFD

    /// The socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    private init(socket: consuming OwnedFD) {
        self.socket = socket
    }

    /// Makes a socket without an address, which can send and has nobody answer.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if out of descriptors. See socket(2).
    public init() throws(Errno) {
        socket = try OwnedFD.socket(family: OwnedFD.unixFamily, .datagram)
    }

    /// Binds to `address`.
    ///
    /// - Parameter address: A path where no file is yet, or an abstract name; for
    ///   ``UnixAddress/unnamed`` the kernel chooses an abstract one.
    /// - Throws: As ``UnixListener/init(binding:backlog:)``. See bind(2) and unix(7).
    public init(binding address: UnixAddress) throws(Errno) {
        let socket = try OwnedFD.socket(family: OwnedFD.unixFamily, .datagram)
        try socket.bind(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes over a Unix-domain datagram socket, and makes it non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket` or
    ///   `Errno.addressFamilyNotSupported`. The descriptor is closed then.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: [OwnedFD.unixFamily], type: .datagram)
        self.socket = socket
    }

    /// Two sockets connected to each other; see socketpair(2).
    public static func pair() throws(Errno) -> Pair {
        let (first, second) = try OwnedFD.socketPair(.datagram)
        return Pair(
            first: UnixDatagram(socket: OwnedFD(rawValue: first)),
            second: UnixDatagram(socket: OwnedFD(rawValue: second))
        )
    }

    /// A struct rather than a tuple, as tuples cannot hold noncopyable values.
    @frozen public struct Pair: ~Copyable, Sendable {
        /// One end.
        public let first: UnixDatagram
        /// The other end.
        public let second: UnixDatagram
    }

    /// Sets the one peer that datagrams are sent to and received from; it can be changed.
    ///
    /// - Throws: `Errno.connectionRefused` if nobody has the address any more,
    ///   `Errno.noSuchFileOrDirectory` if there is no such file. See connect(2) and unix(7).
    public func connect(to address: UnixAddress) throws(Errno) {
        try socket.connect(to: KernelAddress(address))
    }

    /// The address bound to, else ``UnixAddress/unnamed``.
    public func localAddress() throws(Errno) -> UnixAddress {
        try fileDescriptor.localAddress().unixAddress
    }

    /// The address that it is connected to.
    ///
    /// - Throws: `Errno.socketNotConnected` if it is not.
    public func peerAddress() throws(Errno) -> UnixAddress {
        try fileDescriptor.peerAddress().unixAddress
    }

    /// Sends a datagram to an address.
    ///
    /// - Parameters:
    ///   - bytes: All of the datagram; none make an empty one.
    ///   - address: Where to.
    /// - Returns: The number of bytes sent, which is all, or `nil` if the receiver's queue is full:
    ///   of that no event will tell unless the socket is connected there, so try again later.
    /// - Throws: As ``connect(to:)``. See sendto(2) and unix(7).
    public func send(_ bytes: Span<UInt8>, to address: UnixAddress) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes, to: KernelAddress(address))
    }

    /// Sends a datagram to an address, and with it descriptors.
    ///
    /// - Parameters:
    ///   - bytes: All of the datagram.
    ///   - address: Where to.
    ///   - descriptors: As for ``UnixSocket/send(_:passing:credentials:)``.
    /// - Returns: As ``send(_:to:)``.
    /// - Throws: As both.
    public func send(
        _ bytes: Span<UInt8>,
        to address: UnixAddress,
        passing descriptors: [FileDescriptor]
    ) throws(Errno) -> Int? {
        try fileDescriptor.send(
            bytes,
            to: KernelAddress(address),
            control: ControlMessages.encode(descriptors, nil)
        )
    }

    /// A datagram's length and where it came from.
    public struct Received: Hashable, Sendable {
        /// The length as it was sent, more than was stored if it did not fit.
        public let byteCount: Int
        /// Who sent it, ``UnixAddress/unnamed`` if that socket is not bound.
        public let sender: UnixAddress
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
        return Received(byteCount: byteCount, sender: try sender.unixAddress)
    }

    /// Ends receiving, sending or both; a peer that sends to it gets `Errno.brokenPipe`.
    public func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try fileDescriptor.shutdown(direction)
    }

    /// Gives the socket up without closing it.
    public consuming func release() -> OwnedFD { socket }
}
#endif
