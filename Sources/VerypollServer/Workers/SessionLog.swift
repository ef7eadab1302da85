internal import Logging

/// What a worker logs of the sessions that end, if the configuration asks for it.
///
/// A journal that is flooded drops what others log, so only so many lines a second are written; the
/// next second's first line says how many were left out.
struct SessionLog {
    /// The most sessions that one worker logs in a second.
    static let linesPerSecond = 1_000

    private var second: UInt64 = 0
    private var count = 0
    private var leftOut = 0

    /// When ``flush(now:logger:)`` is due, in milliseconds; `UInt64.max` for never.
    var dueAt: UInt64 { leftOut == 0 ? .max : (second + 1) * 1_000 }

    /// Counts the end of a session; returns whether it is to be logged.
    mutating func admit(now: UInt64, logger: Logger) -> Bool {
        flush(now: now, logger: logger)
        guard count < Self.linesPerSecond else {
            leftOut += 1
            return false
        }
        count += 1
        return true
    }

    /// Begins another second, if it is time, and logs how many lines were left out in the last.
    mutating func flush(now: UInt64, logger: Logger) {
        guard now / 1_000 != second else { return }
        second = now / 1_000
        count = 0
        guard leftOut > 0 else { return }
        logger.warning(
            .sessionsUnlogged,
            "the ends of \(leftOut) sessions were not logged: too many in a second",
            metadata: ["unlogged": "\(leftOut)"]
        )
        leftOut = 0
    }
}
