package import Verypoll

/// Where a TCP socket is bound, as far as it keeps others from its port.
package struct BoundAddress: Hashable, Sendable {
    private let ip: IPAddress
    package let port: UInt16
    private let zone: UInt32
    /// Whether it accepts both protocols, as `[::]` does unless it is for IPv6 alone.
    private let isDual: Bool

    /// Makes the place of a socket that is bound to an address.
    package init(_ address: SocketAddress, isOnlyV6: Bool) {
        ip = address.ip.unmapped
        port = address.port
        zone = address.zone
        isDual = ip.family == .v6 && ip.isUnspecified && !isOnlyV6
    }

    /// Whether the kernel would refuse to have sockets listen at both places, or a connection to
    /// one would fit the other as well.
    package func overlaps(_ other: BoundAddress) -> Bool {
        guard port == other.port else { return false }
        let isAny = ip.isUnspecified || other.ip.isUnspecified
        if accepts(.v4), other.accepts(.v4) {
            return isAny || ip == other.ip
        }
        guard accepts(.v6), other.accepts(.v6) else { return false }
        return isAny || (ip == other.ip && zone == other.zone)
    }

    private func accepts(_ family: IPAddress.Family) -> Bool { isDual || ip.family == family }
}
