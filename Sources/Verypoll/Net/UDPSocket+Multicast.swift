#if Net
public import SystemPackage

extension UDPSocket {
    /// Returns whether the socket may send to broadcast addresses; `SO_BROADCAST`.
    public func broadcast() throws(Errno) -> Bool {
        try fileDescriptor.value(of: .broadcast) != 0
    }

    /// Sets whether the socket may send to broadcast addresses.
    public func setBroadcast(_ isOn: Bool) throws(Errno) {
        try fileDescriptor.set(.broadcast, to: isOn)
    }

    /// Joins a multicast group, to receive datagrams that are sent to it.
    ///
    /// Bind the socket to the destination port of the datagrams, on ``IPAddress/any(_:)`` or on the
    /// address of the group.
    ///
    /// - Parameters:
    ///   - group: A multicast address of the socket's family.
    ///   - interface: The interface to receive on. ``NetworkInterface/address(_:)`` is for IPv4
    ///     only.
    /// - Throws: `Errno.invalidArgument` if `group` is not such an address, `Errno.addressInUse` if
    ///   the socket already joined the group, `Errno.operationNotSupportedByDevice` if the
    ///   interface does not exist. See ip(7) and ipv6(7).
    public func joinMulticast(
        _ group: IPAddress,
        on interface: NetworkInterface = .any
    ) throws(Errno) {
        try fileDescriptor.changeMembership(joins: true, group, on: interface)
    }

    /// Leaves a multicast group.
    ///
    /// - Throws: `Errno.addressNotAvailable` if the socket did not join the group on the interface.
    ///   See ip(7) and ipv6(7).
    public func leaveMulticast(
        _ group: IPAddress,
        on interface: NetworkInterface = .any
    ) throws(Errno) {
        try fileDescriptor.changeMembership(joins: false, group, on: interface)
    }

    /// Sets the interface that multicast is sent from.
    ///
    /// ``NetworkInterface/address(_:)`` is for IPv4 only. See `IP_MULTICAST_IF` in ip(7).
    public func setMulticastInterface(_ interface: NetworkInterface) throws(Errno) {
        try fileDescriptor.setMulticastInterface(interface)
    }

    /// Returns whether this machine receives the multicast that the socket sends.
    ///
    /// The default is `true`.
    public func multicastLoop() throws(Errno) -> Bool {
        let option = try fileDescriptor.choose(v4: .multicastLoopV4, v6: .multicastLoopV6)
        return try fileDescriptor.value(of: option) != 0
    }

    /// Sets whether this machine receives the multicast that the socket sends.
    public func setMulticastLoop(_ isOn: Bool) throws(Errno) {
        let option = try fileDescriptor.choose(v4: .multicastLoopV4, v6: .multicastLoopV6)
        try fileDescriptor.set(option, to: isOn)
    }

    /// Returns the time to live (for IPv6, the hop limit) of sent multicast.
    ///
    /// The default is 1, the local network.
    public func multicastTimeToLive() throws(Errno) -> Int {
        let option = try fileDescriptor.choose(v4: .multicastHopLimitV4, v6: .multicastHopLimitV6)
        return Int(try fileDescriptor.value(of: option))
    }

    /// Sets the time to live (for IPv6, the hop limit) of sent multicast.
    ///
    /// - Parameter hops: 0 (this machine only) to 255, or -1 for the default of 1.
    /// - Throws: `Errno.invalidArgument` for any other value. See ip(7) and ipv6(7).
    public func setMulticastTimeToLive(_ hops: Int) throws(Errno) {
        let option = try fileDescriptor.choose(v4: .multicastHopLimitV4, v6: .multicastHopLimitV6)
        try fileDescriptor.set(option, to: CInt(clamping: hops))
    }
}
#endif
