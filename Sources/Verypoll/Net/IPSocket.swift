#if Net
public import SystemPackage

/// A socket of the Internet Protocol: ``TCPStream``, ``TCPListener``, ``UDPSocket``.
public protocol IPSocket: Socket, ~Copyable {}

extension IPSocket where Self: ~Copyable {
    /// Returns the time to live (for IPv6, the hop limit) of sent packets.
    public func timeToLive() throws(Errno) -> Int {
        let option = try fileDescriptor.choose(v4: .hopLimitV4, v6: .hopLimitV6)
        return Int(try fileDescriptor.value(of: option))
    }

    /// Sets the time to live (for IPv6, the hop limit) of sent packets.
    ///
    /// - Parameter hops: 1 to 255, or -1 for the system's default.
    /// - Throws: `Errno.invalidArgument` for any other value, except that IPv6 accepts 0 (this
    ///   machine only). See ip(7) and ipv6(7).
    public func setTimeToLive(_ hops: Int) throws(Errno) {
        let option = try fileDescriptor.choose(v4: .hopLimitV4, v6: .hopLimitV6)
        try fileDescriptor.set(option, to: CInt(clamping: hops))
    }

    /// Returns whether an IPv6 socket excludes IPv4.
    ///
    /// The option `isOnlyV6` of a ``TCPListener`` or a ``UDPSocket`` sets this before the socket
    /// is bound.
    ///
    /// - Throws: `Errno.notSupported` for an IPv4 socket. See `IPV6_V6ONLY` in ipv6(7).
    public func isOnlyV6() throws(Errno) -> Bool {
        try fileDescriptor.value(of: .onlyV6) != 0
    }
}
#endif
