/// The waits and attempts of a session's search for its server, for its log entry and for metrics.
struct SearchEffort {
    /// The number of attempts to connect, at most 65,535.
    private(set) var attemptCount: UInt16
    /// Whether the session waits in the upstream's queue.
    private var isQueued = false
    /// The milliseconds in the queue; during a wait, the millisecond in which it began, less the
    /// earlier waits.
    private var queueClock: UInt32

    /// Makes the effort of a session that has waited for `queueTime` milliseconds before a restart.
    init(attemptCount: UInt16 = 0, queueTime: UInt32 = 0) {
        self.attemptCount = attemptCount
        queueClock = queueTime
    }

    /// The number of attempts to connect after the first one.
    var retryCount: Int { max(Int(attemptCount) - 1, 0) }

    /// Notes that the session tries to connect.
    mutating func noteAttempt() {
        if attemptCount < .max { attemptCount += 1 }
    }

    /// Notes that the session begins to wait in the queue.
    mutating func enterQueue(now: UInt64) {
        queueClock = UInt32(truncatingIfNeeded: now) &- queueClock
        isQueued = true
    }

    /// Notes that the session no longer waits in the queue.
    ///
    /// - Returns: The milliseconds that the session has spent in the queue.
    @discardableResult
    mutating func leaveQueue(now: UInt64) -> UInt64 {
        queueClock = queueTime(now: now)
        isQueued = false
        return UInt64(queueClock)
    }

    /// Returns the milliseconds that the session has spent in the queue.
    func queueTime(now: UInt64) -> UInt32 {
        isQueued ? UInt32(truncatingIfNeeded: now) &- queueClock : queueClock
    }
}
