internal import Synchronization
internal import Verypoll

/// Limits the number of live sessions of each source, for all workers at once.
///
/// A source is an IPv4 address, even if an IPv6 socket reports it, or an IPv6 network of 64 bits,
/// which is the usual allocation to one customer.
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
    ///   - capacity: The most sources that have sessions at a time; the daemon's session limit is
    ///     always enough.
    init(limit: Int, capacity: Int) {
        precondition(limit > 0 && capacity > 0, "a limit or capacity of zero")
        most = Atomic(limit)
        self.capacity = capacity
        sources = Mutex(CountTable(slotCount: 2 * capacity))
    }

    /// The most sessions of a source; lowering the limit ends no session.
    var limit: Int {
        get { most.load(ordering: .relaxed) }
        set { most.store(newValue, ordering: .relaxed) }
    }

    /// Counts a new session of an address.
    ///
    /// - Returns: `false` if its source is at the limit, or if the source is new and the table is
    ///   full. In both cases, the session is not counted.
    func enter(_ address: IPAddress) -> Bool {
        let source = Source(address)
        return sources.withLock { sources in
            let count = sources.count(of: source)
            guard count < limit, count > 0 || sources.keyCount < capacity else { return false }
            sources.add(source)
            return true
        }
    }

    /// Stops counting a session; traps if it was not counted.
    func leave(_ address: IPAddress) {
        let source = Source(address)
        sources.withLock { $0.remove(source) }
    }

    /// Returns the number of sessions of an address's source.
    func count(of address: IPAddress) -> Int {
        let source = Source(address)
        return sources.withLock { $0.count(of: source) }
    }
}
