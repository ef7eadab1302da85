package import Synchronization

/// Limits the number of sessions of a listener, an upstream or the whole daemon, for all workers at
/// once.
///
/// A worker reserves a place before it accepts a connection, and there may be no connection to
/// accept. So the limiter counts reserved places apart from committed sessions.
package final class SessionLimiter: Sendable {
    /// The reserved places, with and without a session.
    package let places = Atomic(0)
    private let committed = Atomic(0)
    private let isAwaited = Atomic(false)

    private let most: Atomic<Int>

    /// The number of sessions of `metrics` listeners that the limiter of all sessions admits beyond
    /// its limit, so that a full daemon can still be monitored.
    package static let metricsReserve = 16

    /// Makes a limiter that admits `limit` sessions.
    package init(limit: Int) {
        most = Atomic(limit)
    }

    /// The most sessions at a time.
    ///
    /// Lowering the limit ends no session. After raising it, notify the workers that wait for a
    /// place, because no session has released one.
    package var limit: Int {
        get { most.load(ordering: .sequentiallyConsistent) }
        set { most.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// The number of committed sessions.
    ///
    /// If a reader finds that a session is no longer included, the reader also sees everything that
    /// the session's worker did before ``release()``.
    package var active: Int { committed.load(ordering: .sequentiallyConsistent) }

    /// Returns whether committed sessions fill all places, including `extra` places beyond the
    /// limit.
    ///
    /// If this returns `false` and there is still no free place, some worker holds a reserved place
    /// that it is about to commit or cancel.
    func isFull(beyond extra: Int = 0) -> Bool { active >= limit.saturatingAdd(extra) }

    /// Reserves a place; returns `false` if all are taken, including `extra` places beyond the
    /// limit.
    func tryReserve(beyond extra: Int = 0) -> Bool {
        // A failed reservation must not be counted even for a moment. Otherwise another worker
        // could be refused because of it, begin to wait, and never be notified.
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

    /// Reserves a place like ``tryReserve(beyond:)``; after `false`, the next release of a place
    /// reports that a worker waits.
    func reserveOrAwait(beyond extra: Int = 0) -> Bool {
        if tryReserve(beyond: extra) { return true }
        // A release before this store does not see the flag, so try once more.
        isAwaited.store(true, ordering: .sequentiallyConsistent)
        return tryReserve(beyond: extra)
    }

    /// Counts the session for which a place was reserved.
    package func commit() {
        committed.add(1, ordering: .sequentiallyConsistent)
    }

    /// Stops counting a session, and releases its place.
    package func release() -> Bool {
        committed.subtract(1, ordering: .sequentiallyConsistent)
        return cancel()
    }

    /// Releases a reserved place without a session.
    ///
    /// - Returns: Whether some worker waits for a place and must be notified; only one caller gets
    ///   `true`.
    func cancel() -> Bool {
        places.subtract(1, ordering: .sequentiallyConsistent)
        guard isAwaited.load(ordering: .sequentiallyConsistent) else { return false }
        return isAwaited.exchange(false, ordering: .sequentiallyConsistent)
    }
}

extension Int {
    /// Returns the sum, or the largest number if the sum overflows.
    fileprivate func saturatingAdd(_ other: Int) -> Int {
        let sum = addingReportingOverflow(other)
        return sum.overflow ? .max : sum.partialValue
    }
}
