internal import Synchronization

/// Counts the sessions of a listener, or of all, against their limit, for all the workers at once.
final class SessionGate: Sendable {
    private let count = Atomic(0)
    private let isAwaited = Atomic(false)

    /// The most sessions at a time.
    let limit: Int

    /// Makes a gate that lets `limit` sessions in.
    init(limit: Int) {
        self.limit = limit
    }

    /// The sessions that are in; of those that are not, everything before they left is seen.
    var active: Int { count.load(ordering: .sequentiallyConsistent) }

    /// Counts a session in, or returns `false` if the limit is reached.
    func tryEnter() -> Bool {
        // Whoever is refused must not be counted for a moment: another could be refused for it,
        // wait for somebody to leave, and be told by nobody.
        var present = count.load(ordering: .sequentiallyConsistent)
        while present < limit {
            let (isDone, found) = count.weakCompareExchange(
                expected: present,
                desired: present + 1,
                ordering: .sequentiallyConsistent
            )
            if isDone { return true }
            present = found
        }
        return false
    }

    /// As ``tryEnter()``; but after `false` the next ``leave()`` tells that somebody waits.
    func enterOrAwait() -> Bool {
        if tryEnter() { return true }
        // Only what leaves after this store sees it, so look once more.
        isAwaited.store(true, ordering: .sequentiallyConsistent)
        return tryEnter()
    }

    /// Counts a session out.
    ///
    /// - Returns: Whether somebody waits to enter, and is to be told; only one caller learns it.
    func leave() -> Bool {
        count.subtract(1, ordering: .sequentiallyConsistent)
        guard isAwaited.load(ordering: .sequentiallyConsistent) else { return false }
        return isAwaited.exchange(false, ordering: .sequentiallyConsistent)
    }
}
