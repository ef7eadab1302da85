#if Net
public import SystemPackage

/// A socket of the Internet Protocol: ``TCPStream``, ``TCPListener``, ``UDPSocket``.
public protocol IPSocket: Socket, ~Copyable {}

extension IPSocket where Self: ~Copyable {
    /// The time to live of sent packets, for IPv6 their hop limit.
    public func timeToLive() throws(Errno) -> Int {
        let option = try fileDescriptor.choose(v4: .hopLimitV4, v6: .hopLimitV6)
        return Int(try fileDescriptor.value(of: option))
    }

    /// Sets the time to live of sent packets, for IPv6 their hop limit.
    ///
    /// - Parameter hops: From 1 to 255, or -1 for what the system is set to.
    /// - Throws: `Errno.invalidArgument` for any other, save that IPv6 takes 0, which stays on
    ///   the own machine. See ip(7) and ipv6(7).
    public func setTimeToLive(_ hops: Int) throws(Errno) {
        let option = try fileDescriptor.choose(v4: .hopLimitV4, v6: .hopLimitV6)
        try fileDescriptor.set(option, to: CInt(clamping: hops))
    }

    /// Whether IPv4 is kept off an IPv6 socket; set before it is bound, by its options.
    ///
    /// - Throws: `Errno.notSupported` for an IPv4 socket. See `IPV6_V6ONLY` in ipv6(7).
    public func isOnlyV6() throws(Errno) -> Bool {
        try fileDescriptor.value(of: .onlyV6) != 0
    }
}
#endif
