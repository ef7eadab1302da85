internal import Synchronization
internal import Verypoll

/// The connections of this daemon that may lead to one of its own listeners, by their local
/// addresses, and through how many listeners of the daemon each has come.
///
/// So a worker that accepts such a connection knows how long the chain is by then. A chain of more
/// than ``limit`` listeners is taken for a circle and refused. The table has a fixed size: if two
/// connections share a slot, the later one stays, and the other chain may become longer before it
/// is refused.
final class OwnConnections: Sendable {
    /// The most listeners of the daemon that a connection may come through one after the other.
    static let limit: UInt8 = 8

    private static let bits: UInt64 = 12

    /// The upper bits of each say the address, the lowest eight the number of listeners.
    private let entries: [4096 of Atomic<UInt64>] = .init { _ in Atomic(0) }

    /// Notes a connection by its local address.
    func note(_ address: SocketAddress, hops: UInt8) {
        let hash = Self.hash(address)
        entries[Self.slot(hash)].store(hash & ~0xFF | UInt64(hops), ordering: .relaxed)
    }

    /// Forgets a connection.
    func forget(_ address: SocketAddress) {
        let hash = Self.hash(address)
        let slot = Self.slot(hash)
        let entry = entries[slot].load(ordering: .relaxed)
        guard entry & ~0xFF == hash & ~0xFF else { return }
        // Another that has come in the meantime stays.
        _ = entries[slot].compareExchange(expected: entry, desired: 0, ordering: .relaxed)
    }

    /// Through how many listeners a connection has come; 0 for one that is not this daemon's own.
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
