#if Net
public import SystemPackage

extension UDPSocket {
    /// Whether it may send to broadcast addresses; `SO_BROADCAST`.
    public func broadcast() throws(Errno) -> Bool {
        try fileDescriptor.value(of: .broadcast) != 0
    }

    /// Allows sending to broadcast addresses.
    public func setBroadcast(_ isOn: Bool) throws(Errno) {
        try fileDescriptor.set(.broadcast, to: isOn)
    }

    /// Receives what is sent to a multicast group.
    ///
    /// Bind to the group's port on ``IPAddress/any(_:)`` or on the group itself.
    ///
    /// - Parameters:
    ///   - group: A multicast address of the socket's family.
    ///   - interface: Where it is to be received; for IPv6 not by address.
    /// - Throws: `Errno.invalidArgument` if it is no such group, `Errno.addressInUse` if it is
    ///   joined already, `Errno.operationNotSupportedByDevice` if there is no such interface. See
    ///   ip(7) and ipv6(7).
    public func joinMulticast(
        _ group: IPAddress,
        on interface: NetworkInterface = .any
    ) throws(Errno) {
        try fileDescriptor.changeMembership(joins: true, group, on: interface)
    }

    /// Receives what is sent to a multicast group no longer.
    ///
    /// - Throws: `Errno.addressNotAvailable` if it was not joined there. See ip(7) and ipv6(7).
    public func leaveMulticast(
        _ group: IPAddress,
        on interface: NetworkInterface = .any
    ) throws(Errno) {
        try fileDescriptor.changeMembership(joins: false, group, on: interface)
    }

    /// Sends multicast from an interface, for IPv6 not by address; see `IP_MULTICAST_IF` in ip(7).
    public func setMulticastInterface(_ interface: NetworkInterface) throws(Errno) {
        try fileDescriptor.setMulticastInterface(interface)
    }

    /// Whether this machine receives the multicast that the socket sends; at first it does.
    public func multicastLoop() throws(Errno) -> Bool {
        let option = try fileDescriptor.choose(v4: .multicastLoopV4, v6: .multicastLoopV6)
        return try fileDescriptor.value(of: option) != 0
    }

    /// Says whether this machine receives the multicast that the socket sends.
    public func setMulticastLoop(_ isOn: Bool) throws(Errno) {
        let option = try fileDescriptor.choose(v4: .multicastLoopV4, v6: .multicastLoopV6)
        try fileDescriptor.set(option, to: isOn)
    }

    /// The time to live of sent multicast, for IPv6 its hop limit; at first 1, the own network.
    public func multicastTimeToLive() throws(Errno) -> Int {
        let option = try fileDescriptor.choose(v4: .multicastHopLimitV4, v6: .multicastHopLimitV6)
        return Int(try fileDescriptor.value(of: option))
    }

    /// Sets the time to live of sent multicast, for IPv6 its hop limit.
    ///
    /// - Parameter hops: From 0, which stays on the own machine, to 255; or -1 for 1.
    /// - Throws: `Errno.invalidArgument` for any other. See ip(7) and ipv6(7).
    public func setMulticastTimeToLive(_ hops: Int) throws(Errno) {
        let option = try fileDescriptor.choose(v4: .multicastHopLimitV4, v6: .multicastHopLimitV6)
        try fileDescriptor.set(option, to: CInt(clamping: hops))
    }
}
#endif
