package import Verypoll

/// The address that a TCP socket occupies, to find conflicts with other sockets.
package struct BoundAddress: Hashable, Sendable {
    private let ip: IPAddress
    package let port: UInt16
    private let zone: UInt32
    /// Whether the socket accepts both IPv4 and IPv6, as `[::]` does unless it is limited to IPv6.
    private let isDual: Bool

    /// Makes the address of a bound socket.
    package init(_ address: SocketAddress, isOnlyV6: Bool) {
        ip = address.ip.unmapped
        port = address.port
        zone = address.zone
        isDual = ip.family == .v6 && ip.isUnspecified && !isOnlyV6
    }

    /// Returns whether the kernel would refuse to let sockets listen at both addresses, or whether
    /// a connection to one of them could also match the other.
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
