/// Decides when the pauses of an acceptor, and their ends, are logged.
///
/// A listener at its limit accepts again each time a session ends, and pauses at once. Such pauses
/// count as one. The log says that it has begun, and repeats that at most once in ``interval``. The
/// log says that it is over once the acceptor has accepted for ``calm``.
struct PauseLog {
    /// The shortest time between two entries about pauses, in milliseconds.
    static let interval: UInt64 = 10_000
    /// The time without a pause after which the last one is over, in milliseconds.
    static let calm: UInt64 = 1_000

    /// A pause that is over.
    struct Pause: Equatable {
        /// The milliseconds from the first pause to the end of the last one.
        let duration: UInt64
        /// The number of pauses.
        let count: Int
    }

    /// The millisecond of the last entry about a pause.
    private var loggedAt: UInt64?
    /// The millisecond in which the first pause began; `nil` while there is none.
    private var beganAt: UInt64?
    /// The millisecond in which the last pause ended; `nil` during a pause.
    private var endedAt: UInt64?
    private var count = 0
    /// Whether an entry says that the acceptor is paused.
    private var isLogged = false

    /// The millisecond at which ``takeEnd(now:)`` must be called; `UInt64.max` for never.
    var dueAt: UInt64 { endedAt.map { $0 + Self.calm } ?? .max }

    /// Notes the beginning of a pause; returns whether to log it.
    mutating func begin(now: UInt64) -> Bool {
        if beganAt == nil { beganAt = now }
        endedAt = nil
        count += 1
        if let loggedAt, now - loggedAt < Self.interval { return false }
        loggedAt = now
        isLogged = true
        return true
    }

    /// Notes that the acceptor accepts again.
    mutating func end(now: UInt64) {
        if beganAt != nil { endedAt = now }
    }

    /// Ends a pause if the acceptor has accepted for long enough since.
    ///
    /// - Returns: The pause, if its end is to be logged.
    mutating func takeEnd(now: UInt64) -> Pause? {
        guard let beganAt, let endedAt, endedAt + Self.calm <= now else { return nil }
        let pause = isLogged ? Pause(duration: endedAt - beganAt, count: count) : nil
        self.beganAt = nil
        self.endedAt = nil
        count = 0
        isLogged = false
        return pause
    }
}
