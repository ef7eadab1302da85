internal import Logging
internal import Synchronization
internal import SystemPackage
internal import Systemd
internal import VerypollConfiguration
internal import VerypollServer

/// Tells when the daemon has had no session for so long that it may end.
struct IdleWatch {
    private var accepted: UInt64?
    private var since: ContinuousClock.Instant?

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

extension Supervisor {
    /// Ends the daemon if nobody has come for as long as the configuration says.
    ///
    /// Its sockets are all systemd's then, so that a connection which comes now starts it anew. Of
    /// those that are accepted in the very last moment none is lost: the daemon goes on with them.
    func leaveIfIdle(_ now: ContinuousClock.Instant) {
        guard case .running = phase else { return }
        if isIdleAndClosed {
            isIdleAndClosed = false
            if totalLimiter.places.load(ordering: .sequentiallyConsistent) == 0 {
                return leave()
            }
            live.setClosed(false)
            return rollOut(.order)
        }
        guard rollouts.isEmpty, !reload.isBusy, !live.isClosed else { return }
        let isDue = idleWatch.isDue(
            active: totalLimiter.active,
            accepted: live.totalTally.accepted,
            limit: loaded.configuration.exitOnIdle,
            now: now
        )
        guard isDue else { return }
        live.setClosed(true)
        rollOut(.idleExit)
    }

    private func leave() {
        logger.notice(.idleExit, "ending, as nobody has come for a while")
        tell { () throws(Errno) in try notifier.stopping(status: "ending, idle") }
        stop(because: "idle")
    }
}
