#if Net
public import SystemPackage

/// A TCP socket: ``TCPStream``, or ``TCPListener``, whose connections inherit its options.
public protocol TCPSocket: IPSocket, ~Copyable {}

extension TCPSocket where Self: ~Copyable {
    /// Whether small writes are sent at once, `TCP_NODELAY`.
    public func noDelay() throws(Errno) -> Bool {
        try fileDescriptor.value(of: .noDelay) != 0
    }

    /// Sends small writes at once rather than wait for earlier ones to be acknowledged.
    public func setNoDelay(_ isOn: Bool) throws(Errno) {
        try fileDescriptor.set(.noDelay, to: isOn)
    }

    /// Probes a silent peer, first after `idle` and then at intervals of a ninth of it.
    ///
    /// See `SO_KEEPALIVE` in socket(7) and tcp(7).
    ///
    /// - Parameter idle: Whole seconds, rounded up; `nil` does not probe.
    /// - Throws: See setsockopt(2).
    public func setKeepAlive(_ idle: Duration?) throws(Errno) {
        try fileDescriptor.set(.keepAlive, to: idle != nil)
        guard let idle else { return }
        try fileDescriptor.set(.keepAliveIdle, to: idle.roundedUp(to: .seconds(1)))
        try fileDescriptor.set(.keepAliveInterval, to: (idle / 9).roundedUp(to: .seconds(1)))
    }

    /// Breaks the connection when sent bytes stay unacknowledged for so long.
    ///
    /// See `TCP_USER_TIMEOUT` in tcp(7).
    ///
    /// - Parameter limit: Whole milliseconds, rounded up; `nil` leaves it to the kernel.
    /// - Throws: See setsockopt(2).
    public func setUserTimeout(_ limit: Duration?) throws(Errno) {
        try fileDescriptor.set(.userTimeout, to: limit?.roundedUp(to: .milliseconds(1)) ?? 0)
    }
}
#endif
