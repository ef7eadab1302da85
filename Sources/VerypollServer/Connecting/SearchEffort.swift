/// The waits and attempts of a session's search for its server, for its log entry and for metrics.
struct SearchEffort {
    /// The number of attempts to connect, at most 65,535.
    private(set) var attemptCount: UInt16
    /// Whether the session waits in the upstream's queue.
    private var isQueued = false
    /// The millisecond in which the present wait began.
    private var queuedAt: UInt32 = 0
    /// The milliseconds of the earlier waits.
    private var earlierWaits: UInt32

    /// Makes the effort of a session that has waited for `queueTime` milliseconds before a restart.
    init(attemptCount: UInt16 = 0, queueTime: UInt32 = 0) {
        self.attemptCount = attemptCount
        earlierWaits = queueTime
    }

    /// The number of attempts to connect after the first one.
    var retryCount: Int { max(Int(attemptCount) - 1, 0) }

    /// Notes that the session tries to connect.
    mutating func noteAttempt() {
        if attemptCount < .max { attemptCount += 1 }
    }

    /// Notes that the session begins to wait in the queue.
    mutating func enterQueue(now: UInt64) {
        queuedAt = UInt32(truncatingIfNeeded: now)
        isQueued = true
    }

    /// Notes that the session no longer waits in the queue.
    ///
    /// - Returns: The milliseconds of this wait, without earlier ones.
    @discardableResult
    mutating func leaveQueue(now: UInt64) -> UInt64 {
        let wait = queueTime(now: now) &- earlierWaits
        earlierWaits &+= wait
        isQueued = false
        return UInt64(wait)
    }

    /// Returns the milliseconds that the session has spent in the queue, earlier waits included.
    func queueTime(now: UInt64) -> UInt32 {
        isQueued ? earlierWaits &+ (UInt32(truncatingIfNeeded: now) &- queuedAt) : earlierWaits
    }
}
