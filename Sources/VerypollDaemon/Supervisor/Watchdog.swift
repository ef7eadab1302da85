/// Determines when to ping the workers, so that the service manager's watchdog is notified in time.
struct Watchdog {
    private let interval: Duration
    private var awaited: Set<Int> = []

    /// The time of the next ping.
    private(set) var dueAt: ContinuousClock.Instant

    /// Creates a watchdog that pings twice within `interval`, as sd_watchdog_enabled(3) recommends.
    init(interval: Duration, now: ContinuousClock.Instant) {
        self.interval = interval / 2
        dueAt = now
    }

    /// Returns whether all workers must be pinged now.
    ///
    /// While an answer is missing, workers are not pinged again. A stalled worker does not need
    /// more pings, and without its answer the service manager is not notified.
    mutating func isDue(_ now: ContinuousClock.Instant, workers: Int) -> Bool {
        guard dueAt <= now else { return false }
        dueAt = now + interval
        guard awaited.isEmpty else { return false }
        awaited = Set(0..<workers)
        return true
    }

    /// Notes the answer of a worker.
    ///
    /// - Returns: Whether it was the last missing answer.
    mutating func answer(of worker: Int) -> Bool {
        awaited.remove(worker) != nil && awaited.isEmpty
    }
}
