internal import Synchronization
internal import Verypoll

/// Counts the live sessions of each source against their limit, for all the workers at once.
///
/// A source is an IPv4 address, also where an IPv6 socket shows it, or an IPv6 network of 64 bits,
/// as that is what one customer has.
final class SourceTable: Sendable {
    private struct Source: Hashable, BitwiseCopyable {
        let prefix: UInt64
        let isV4: Bool

        init(_ address: IPAddress) {
            let address = address.unmapped
            isV4 = address.family == .v4
            prefix = UInt64(truncatingIfNeeded: isV4 ? address.bits : address.bits >> 64)
        }
    }

    private let sources: Mutex<CountTable<Source>>
    private let most: Atomic<Int>
    private let capacity: Int

    /// Makes an empty table.
    ///
    /// - Parameters:
    ///   - limit: The most sessions of a source.
    ///   - capacity: The most sources that have sessions at a time; as many as there are sessions
    ///     do for all of them.
    init(limit: Int, capacity: Int) {
        precondition(limit > 0 && capacity > 0, "no room for a session")
        most = Atomic(limit)
        self.capacity = capacity
        sources = Mutex(CountTable(slotCount: 2 * capacity))
    }

    /// The most sessions of a source; a lower one than a source has ends none of them.
    var limit: Int {
        get { most.load(ordering: .relaxed) }
        set { most.store(newValue, ordering: .relaxed) }
    }

    /// Counts a session of an address in.
    ///
    /// - Returns: Whether it is in; not if its source is at the limit, or new where the table is
    ///   full.
    func enter(_ address: IPAddress) -> Bool {
        let source = Source(address)
        return sources.withLock { sources in
            let count = sources.count(of: source)
            guard count < limit, count > 0 || sources.keyCount < capacity else { return false }
            sources.add(source)
            return true
        }
    }

    /// Counts a session out that was counted in; another is a programmer's error and traps.
    func leave(_ address: IPAddress) {
        let source = Source(address)
        sources.withLock { $0.remove(source) }
    }

    /// The sessions of an address's source.
    func count(of address: IPAddress) -> Int {
        let source = Source(address)
        return sources.withLock { $0.count(of: source) }
    }
}
