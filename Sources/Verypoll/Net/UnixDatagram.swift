#if Net
public import SystemPackage

/// A non-blocking Unix-domain datagram socket, closed when it goes out of scope.
///
/// The file at its path remains, and the caller must remove it. No datagram is lost in transit:
/// while the receiver's queue is full, sends return `nil`.
public struct UnixDatagram: ~Copyable, DatagramSocket, UnixSocket {
    private let socket: OwnedFD

    /// The socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    private init(socket: consuming OwnedFD) {
        self.socket = socket
    }

    /// Creates a socket without an address, which can send but cannot receive replies.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the process is out of descriptors. See socket(2).
    public init() throws(Errno) {
        socket = try OwnedFD.socket(family: OwnedFD.unixFamily, .datagram)
    }

    /// Binds to `address`.
    ///
    /// - Parameter address: A path where no file exists yet, or an abstract name. For
    ///   ``UnixAddress/unnamed``, the kernel chooses an abstract name.
    /// - Throws: Same as ``UnixListener/init(binding:backlog:)``. See bind(2) and unix(7).
    public init(binding address: UnixAddress) throws(Errno) {
        let socket = try OwnedFD.socket(family: OwnedFD.unixFamily, .datagram)
        try socket.bind(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes ownership of a Unix-domain datagram socket, and makes it non-blocking and
    /// close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket` or
    ///   `Errno.addressFamilyNotSupported`. On error, the descriptor is closed.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: [OwnedFD.unixFamily], type: .datagram)
        self.socket = socket
    }

    /// Creates two sockets that are connected to each other; see socketpair(2).
    public static func pair() throws(Errno) -> Pair {
        let (first, second) = try OwnedFD.socketPair(.datagram)
        return Pair(
            first: UnixDatagram(socket: OwnedFD(rawValue: first)),
            second: UnixDatagram(socket: OwnedFD(rawValue: second))
        )
    }

    /// Two connected sockets.
    ///
    /// A struct, because tuples cannot hold noncopyable values.
    @frozen public struct Pair: ~Copyable, Sendable {
        /// One end.
        public let first: UnixDatagram
        /// The other end.
        public let second: UnixDatagram
    }

    /// Sets the only peer that datagrams are sent to and received from.
    ///
    /// A later call can change the peer.
    ///
    /// - Throws: `Errno.connectionRefused` if no socket has the address anymore,
    ///   `Errno.noSuchFileOrDirectory` if the file does not exist. See connect(2) and unix(7).
    public func connect(to address: UnixAddress) throws(Errno) {
        try socket.connect(to: KernelAddress(address))
    }

    /// Returns the bound address, or ``UnixAddress/unnamed`` if the socket is not bound.
    public func localAddress() throws(Errno) -> UnixAddress {
        try fileDescriptor.localAddress().unixAddress
    }

    /// Returns the address that the socket is connected to.
    ///
    /// - Throws: `Errno.socketNotConnected` if the socket is not connected.
    public func peerAddress() throws(Errno) -> UnixAddress {
        try fileDescriptor.peerAddress().unixAddress
    }

    /// Sends a datagram to an address.
    ///
    /// - Parameters:
    ///   - bytes: The whole datagram. An empty span sends an empty datagram.
    ///   - address: The destination.
    /// - Returns: The number of bytes sent, which is always all, or `nil` if the receiver's queue
    ///   is full. No event reports room in that queue unless the socket is connected to the
    ///   receiver, so retry later.
    /// - Throws: Same as ``connect(to:)``. See sendto(2) and unix(7).
    public func send(_ bytes: Span<UInt8>, to address: UnixAddress) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes, to: KernelAddress(address))
    }

    /// Sends a datagram and descriptors to an address.
    ///
    /// - Parameters:
    ///   - bytes: The whole datagram.
    ///   - address: The destination.
    ///   - descriptors: Same as for ``UnixSocket/send(_:passing:credentials:)``.
    /// - Returns: Same as ``send(_:to:)``.
    /// - Throws: Same as both of these methods.
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

    /// The length and the sender of a received datagram.
    public struct Received: Hashable, Sendable {
        /// The length as it was sent, which is more than was stored if the datagram did not fit.
        public let byteCount: Int
        /// The sender's address, ``UnixAddress/unnamed`` if its socket is not bound.
        public let sender: UnixAddress

        /// `nil` without a datagram.
        fileprivate init?(_ byteCount: Int?, from sender: KernelAddress) throws(Errno) {
            guard let byteCount else { return nil }
            self.byteCount = byteCount
            self.sender = try sender.unixAddress
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

    /// Ends receiving, sending or both.
    ///
    /// Once receiving has ended, a peer's sends fail with `Errno.brokenPipe`.
    public func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try fileDescriptor.shutdown(direction)
    }

    /// Gives up ownership of the descriptor without closing it.
    public consuming func release() -> OwnedFD { socket }
}
#endif
