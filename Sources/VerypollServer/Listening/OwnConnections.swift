internal import Synchronization
internal import Verypoll

/// The daemon's own connections that may lead to one of its listeners.
///
/// The key is the connection's local address. The value is the number of the daemon's listeners
/// that the chain of connections has passed.
///
/// A worker that accepts such a connection looks up its chain here. A chain of more than ``limit``
/// listeners is treated as a circle and refused. The table has a fixed size. If two connections
/// share a slot, the later one replaces the earlier, and the earlier chain may grow longer before
/// it is refused.
final class OwnConnections: Sendable {
    /// The most listeners of the daemon that a chain of connections may pass.
    static let limit: UInt8 = 8

    private static let bits: UInt64 = 12

    /// The upper bits of an entry identify the address; the lowest eight are the number of
    /// listeners.
    private let entries: [4096 of Atomic<UInt64>] = .init { _ in Atomic(0) }

    /// Adds a connection by its local address.
    func note(_ address: SocketAddress, hops: UInt8) {
        let hash = Self.hash(address)
        entries[Self.slot(hash)].store(hash & ~0xFF | UInt64(hops), ordering: .relaxed)
    }

    /// Removes a connection.
    func forget(_ address: SocketAddress) {
        let hash = Self.hash(address)
        let slot = Self.slot(hash)
        let entry = entries[slot].load(ordering: .relaxed)
        guard entry & ~0xFF == hash & ~0xFF else { return }
        // Keep an entry that another connection has written in the meantime.
        _ = entries[slot].compareExchange(expected: entry, desired: 0, ordering: .relaxed)
    }

    /// Returns the number of listeners that a connection's chain has passed; 0 if it is not the
    /// daemon's own.
    func hops(from peer: SocketAddress) -> UInt8 {
        let hash = Self.hash(peer)
        let entry = entries[Self.slot(hash)].load(ordering: .relaxed)
        return entry & ~0xFF == hash & ~0xFF ? UInt8(entry & 0xFF) : 0
    }

    private static func hash(_ address: SocketAddress) -> UInt64 {
        let plain = SocketAddress(address.ip.unmapped, port: address.port)
        return UInt64(UInt(bitPattern: plain.hashValue))
    }

    private static func slot(_ hash: UInt64) -> Int { Int(hash >> (64 - bits)) }
}
