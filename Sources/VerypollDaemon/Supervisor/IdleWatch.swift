/// Detects that the daemon has had no session for so long that it may exit.
struct IdleWatch {
    private var accepted: UInt64?
    private var since: ContinuousClock.Instant?
    /// Whether all workers have stopped accepting, because the daemon is idle.
    var isClosed = false

    /// Notes the current number of sessions and connections.
    ///
    /// - Parameters:
    ///   - active: The number of open sessions.
    ///   - accepted: The number of connections accepted so far, which also reveals short sessions.
    ///   - limit: The time without a session after which the daemon exits; `nil` for never.
    ///   - now: The current time.
    /// - Returns: Whether the daemon has had no session for that time.
    mutating func isDue(
        active: Int,
        accepted: UInt64,
        limit: Duration?,
        now: ContinuousClock.Instant
    ) -> Bool {
        guard let limit, active == 0, accepted == self.accepted else {
            self.accepted = accepted
            since = nil
            return false
        }
        let start = since ?? now
        since = start
        return now - start >= limit
    }
}
