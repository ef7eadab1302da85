package import Synchronization

/// Counts the sessions of a listener, or of all, against their limit, for all the workers at once.
///
/// A place is taken before the connection for it, which may turn out not to be there. So places are
/// counted apart from the sessions that have settled on them.
package final class SessionLimiter: Sendable {
    /// The places that are taken, those for a connection that is yet to be accepted among them.
    package let places = Atomic(0)
    private let settled = Atomic(0)
    private let isAwaited = Atomic(false)

    private let most: Atomic<Int>

    /// How many sessions of listeners with the handler `metrics` the limiter of all sessions lets
    /// in beyond its limit, as the daemon is watched most when it is full.
    package static let metricsReserve = 16

    /// Makes a limiter that lets `limit` sessions in.
    package init(limit: Int) {
        most = Atomic(limit)
    }

    /// The most sessions at a time.
    ///
    /// A lower one than there are sessions ends none of them; and whoever waits is to be told of a
    /// higher one, as nobody has left.
    package var limit: Int {
        get { most.load(ordering: .sequentiallyConsistent) }
        set { most.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// The sessions that are in; of those that are not, everything before they left is seen.
    package var active: Int { settled.load(ordering: .sequentiallyConsistent) }

    /// Whether sessions have all the places, and so many beyond the limit.
    ///
    /// If not, and there is no place all the same, somebody is about to settle or to withdraw.
    func isFull(beyond extra: Int = 0) -> Bool { active >= limit.saturatingAdd(extra) }

    /// Takes a place, or returns `false` if there is none, not even of so many beyond the limit.
    func tryReserve(beyond extra: Int = 0) -> Bool {
        // Whoever is refused must not be counted for a moment: another could be refused for it,
        // wait for somebody to leave, and be told by nobody.
        let limit = self.limit.saturatingAdd(extra)
        var present = places.load(ordering: .sequentiallyConsistent)
        while present < limit {
            let (isDone, found) = places.weakCompareExchange(
                expected: present,
                desired: present + 1,
                ordering: .sequentiallyConsistent
            )
            if isDone { return true }
            present = found
        }
        return false
    }

    /// As ``tryReserve(beyond:)``; but after `false` whoever next gives a place up is told.
    func reserveOrAwait(beyond extra: Int = 0) -> Bool {
        if tryReserve(beyond: extra) { return true }
        // Only what leaves after this store sees it, so look once more.
        isAwaited.store(true, ordering: .sequentiallyConsistent)
        return tryReserve(beyond: extra)
    }

    /// Counts a session in, on the place that was taken for it.
    package func commit() {
        settled.add(1, ordering: .sequentiallyConsistent)
    }

    /// Counts a session out, and gives its place up as ``cancel()`` does.
    package func release() -> Bool {
        settled.subtract(1, ordering: .sequentiallyConsistent)
        return cancel()
    }

    /// Gives a place up.
    ///
    /// - Returns: Whether somebody waits to enter, and is to be told; only one caller learns it.
    func cancel() -> Bool {
        places.subtract(1, ordering: .sequentiallyConsistent)
        guard isAwaited.load(ordering: .sequentiallyConsistent) else { return false }
        return isAwaited.exchange(false, ordering: .sequentiallyConsistent)
    }
}

extension Int {
    /// The sum, or the largest number where the sum is larger.
    fileprivate func saturatingAdd(_ other: Int) -> Int {
        let sum = addingReportingOverflow(other)
        return sum.overflow ? .max : sum.partialValue
    }
}
