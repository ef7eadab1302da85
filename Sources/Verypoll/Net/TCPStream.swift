#if Net
public import SystemPackage

/// A connected, non-blocking TCP socket, closed when it goes out of scope.
public struct TCPStream: ~Copyable, StreamSocket {
    private let socket: OwnedFD

    /// The socket's descriptor.
    public var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    init(socket: consuming OwnedFD) {
        self.socket = socket
    }

    /// Starts to connect; ``finishConnect()`` tells when it is done.
    ///
    /// Register it as writable; the event comes when the connection is made or has failed.
    ///
    /// - Throws: Errors that are known at once, as `Errno.networkUnreachable`. See connect(2).
    public init(connectingTo address: SocketAddress) throws(Errno) {
        let socket = try OwnedFD.stream(for: address)
        _ = try socket.connect(to: KernelAddress(address))
        self.socket = socket
    }

    /// Takes over a TCP socket that does not listen, and makes it non-blocking and close-on-exec.
    ///
    /// - Throws: `Errno.notSocket`, `Errno.protocolWrongTypeForSocket`,
    ///   `Errno.addressFamilyNotSupported`, or `Errno.invalidArgument` if it listens. The
    ///   descriptor is closed then.
    public init(adopting socket: consuming OwnedFD) throws(Errno) {
        try socket.adopt(families: OwnedFD.internetFamilies, listening: false)
        self.socket = socket
    }

    /// Asks how far the connect has come; call it at each writable event until it is connected.
    ///
    /// - Returns: Whether to wait on, or to go ahead.
    /// - Throws: Why the connect failed, as `Errno.connectionRefused` or `Errno.timedOut`.
    public func finishConnect() throws(Errno) -> ConnectProgress {
        try socket.finishConnect()
    }

    /// The address of this end.
    public func localAddress() throws(Errno) -> SocketAddress {
        try socket.localAddress().socketAddress
    }

    /// The address of the other end.
    ///
    /// - Throws: `Errno.notConnected` before the connect is done, or after a reset.
    public func peerAddress() throws(Errno) -> SocketAddress {
        try socket.peerAddress().socketAddress
    }

    /// Gives the socket up without closing it.
    public consuming func release() -> OwnedFD { socket }
}

extension TCPStream {
    /// Whether small writes are sent at once, `TCP_NODELAY`.
    public func noDelay() throws(Errno) -> Bool {
        try socket.value(of: .noDelay) != 0
    }

    /// Sends small writes at once rather than wait for earlier ones to be acknowledged.
    public func setNoDelay(_ isOn: Bool) throws(Errno) {
        try socket.set(.noDelay, to: isOn ? 1 : 0)
    }

    /// The time to live of sent packets, for IPv6 their hop limit.
    public func timeToLive() throws(Errno) -> Int {
        Int(try socket.value(of: hopLimit()))
    }

    /// Sets the time to live of sent packets, for IPv6 their hop limit.
    public func setTimeToLive(_ hops: Int) throws(Errno) {
        try socket.set(hopLimit(), to: CInt(clamping: hops))
    }

    /// Probes a silent peer, first after `idle` and then at intervals of a ninth of it; `nil` does
    /// not probe. Whole seconds, rounded up; see `SO_KEEPALIVE` in socket(7) and tcp(7).
    public func setKeepAlive(_ idle: Duration?) throws(Errno) {
        try socket.set(.keepAlive, to: idle == nil ? 0 : 1)
        guard let idle else { return }
        try socket.set(.keepAliveIdle, to: idle.roundedUp(to: .seconds(1)))
        try socket.set(.keepAliveInterval, to: (idle / 9).roundedUp(to: .seconds(1)))
    }

    /// Breaks the connection when sent bytes stay unacknowledged for so long; `nil` leaves it to
    /// the kernel. Whole milliseconds, rounded up; see `TCP_USER_TIMEOUT` in tcp(7).
    public func setUserTimeout(_ limit: Duration?) throws(Errno) {
        try socket.set(.userTimeout, to: limit?.roundedUp(to: .milliseconds(1)) ?? 0)
    }

    private func hopLimit() throws(Errno) -> IntegerOption {
        try localAddress().ip.family == .v4 ? .hopLimitV4 : .hopLimitV6
    }
}
#endif
