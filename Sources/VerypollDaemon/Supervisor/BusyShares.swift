/// The share of time that each worker was busy in the last interval.
struct BusyShares {
    /// A share of 0 to 1 for each worker.
    private(set) var values: [Double]
    private var busy: [UInt64]
    private var updatedAt = ContinuousClock.now

    init(count: Int) {
        values = Array(repeating: 0, count: count)
        busy = Array(repeating: 0, count: count)
    }

    /// Begins a new interval, with the nanoseconds that each worker has been busy since the
    /// daemon's start.
    mutating func update(_ present: [UInt64], now: ContinuousClock.Instant) {
        let length = (now - updatedAt) / .nanoseconds(1)
        guard length > 0 else { return }
        values = zip(present, busy).map { Double($0 &- $1) / length }
        busy = present
        updatedAt = now
    }
}
