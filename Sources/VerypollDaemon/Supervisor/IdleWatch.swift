/// Tells when the daemon has had no session for so long that it may end.
struct IdleWatch {
    private var accepted: UInt64?
    private var since: ContinuousClock.Instant?
    /// Whether nothing is accepted any more, because no client came.
    var isClosed = false

    /// Notes how things are at a moment.
    ///
    /// - Parameters:
    ///   - active: The sessions that live.
    ///   - accepted: The connections accepted so far, by which short sessions are seen as well.
    ///   - limit: The time without a session that is enough; `nil` for never.
    ///   - now: The moment.
    /// - Returns: Whether it has been so long.
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
