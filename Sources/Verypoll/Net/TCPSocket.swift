#if Net
public import SystemPackage

/// A TCP socket: ``TCPStream``, or ``TCPListener``, whose connections inherit its options.
public protocol TCPSocket: IPSocket, ~Copyable {}

extension TCPSocket where Self: ~Copyable {
    /// Returns whether small writes are sent at once; `TCP_NODELAY`.
    public func noDelay() throws(Errno) -> Bool {
        try fileDescriptor.value(of: .noDelay) != 0
    }

    /// Sets whether small writes are sent at once, before earlier ones are acknowledged.
    public func setNoDelay(_ isOn: Bool) throws(Errno) {
        try fileDescriptor.set(.noDelay, to: isOn)
    }

    /// Sets keep-alive probes of a silent peer: the first after `idle`, further ones at intervals
    /// of `idle / 9`.
    ///
    /// See `SO_KEEPALIVE` in socket(7) and tcp(7).
    ///
    /// - Parameter idle: The time before the first probe, in whole seconds, rounded up. `nil` turns
    ///   probes off.
    /// - Throws: See setsockopt(2).
    public func setKeepAlive(_ idle: Duration?) throws(Errno) {
        try fileDescriptor.set(.keepAlive, to: idle != nil)
        guard let idle else { return }
        try fileDescriptor.set(.keepAliveIdle, to: idle.roundedUp(to: .seconds(1)))
        try fileDescriptor.set(.keepAliveInterval, to: (idle / 9).roundedUp(to: .seconds(1)))
    }

    /// Sets how long sent bytes may stay unacknowledged before the kernel closes the connection.
    ///
    /// See `TCP_USER_TIMEOUT` in tcp(7).
    ///
    /// - Parameter limit: The time in whole milliseconds, rounded up. `nil` is the kernel's
    ///   default.
    /// - Throws: See setsockopt(2).
    public func setUserTimeout(_ limit: Duration?) throws(Errno) {
        try fileDescriptor.set(.userTimeout, to: limit?.roundedUp(to: .milliseconds(1)) ?? 0)
    }
}
#endif
