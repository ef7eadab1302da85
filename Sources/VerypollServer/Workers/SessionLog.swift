internal import Logging

/// Limits how many ended sessions a worker logs per second.
///
/// A flooded journal drops messages of other services. The first entry of the next second says how
/// many sessions were not logged.
struct SessionLog {
    /// The most sessions that a worker logs per second.
    static let linesPerSecond = 1_000

    private var second: UInt64 = 0
    private var count = 0
    private var leftOut = 0

    /// The millisecond at which ``flush(now:logger:)`` must be called; `UInt64.max` for never.
    var dueAt: UInt64 { leftOut == 0 ? .max : (second + 1) * 1_000 }

    /// Counts the end of a session; returns whether to log it.
    mutating func admit(now: UInt64, logger: Logger) -> Bool {
        flush(now: now, logger: logger)
        guard count < Self.linesPerSecond else {
            leftOut += 1
            return false
        }
        count += 1
        return true
    }

    /// Starts a new second if the last one is over, and logs how many sessions were not logged in
    /// it.
    mutating func flush(now: UInt64, logger: Logger) {
        guard now / 1_000 != second else { return }
        second = now / 1_000
        count = 0
        guard leftOut > 0 else { return }
        logger.warning(
            .sessionsUnlogged,
            "\(leftOut) ended sessions were not logged: too many in one second",
            metadata: ["unlogged": .number(leftOut)]
        )
        leftOut = 0
    }
}
