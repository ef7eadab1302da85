/// Asks the workers for a sign of life, in good time for the service manager's watchdog.
struct Watchdog {
    private let interval: Duration
    private var awaited: Set<Int> = []

    /// When to ask next.
    private(set) var dueAt: ContinuousClock.Instant

    /// Makes a watchdog that asks twice within `interval`, as sd_watchdog_enabled(3) recommends.
    init(interval: Duration, now: ContinuousClock.Instant) {
        self.interval = interval / 2
        dueAt = now
    }

    /// Whether all workers are to be asked now.
    ///
    /// It is not asked again while an answer is missing: who does not answer need not get more
    /// questions, and without that answer the service manager hears nothing.
    mutating func isDue(_ now: ContinuousClock.Instant, workers: Int) -> Bool {
        guard dueAt <= now else { return false }
        dueAt = now + interval
        guard awaited.isEmpty else { return false }
        awaited = Set(0..<workers)
        return true
    }

    /// Notes an answer; returns whether it was the last that was missing.
    mutating func answer(of worker: Int) -> Bool {
        awaited.remove(worker) != nil && awaited.isEmpty
    }
}
