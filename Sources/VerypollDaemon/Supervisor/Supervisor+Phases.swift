internal import Logging
internal import Synchronization
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension Supervisor {
    /// How long the workers may take to close everything.
    private static let stopLimit = Duration.seconds(5)

    /// How long they may take to pack everything for the next process.
    private static let packingLimit = Duration.seconds(20)

    /// Does what the lifecycle says is next.
    func perform(_ step: Lifecycle.Step) throws {
        switch step {
        case .wait, .end: break
        case .begin: try begin()
        case .becomeReady: becomeReady()
        case .stop: stop(because: "no session is left")
        }
    }

    /// Takes the place of the process before, now that nothing can keep this one from starting.
    ///
    /// - Throws: Why a socket does not listen. Then nothing that was passed has changed, and the
    ///   next process gets the same.
    private func begin() throws {
        lifecycle.begin()
        try handoff.claim()
        for (index, mailbox) in workers.mailboxes.enumerated() {
            let share = handoff.restoredSessions.share(of: index, workers: workers.count)
            mailbox.post(.begin(live.snapshot, share))
        }
        handoff.releaseRest()
    }

    /// Tells that all workers accept.
    private func becomeReady() {
        lifecycle.becomeReady()
        logReadiness()
        handoff.reportRestored()
        manager.ready(summary)
    }

    /// Says where it listens, and that it is ready.
    private func logReadiness() {
        for entry in live.listeners {
            for address in entry.addresses {
                logger.info(
                    .listening,
                    "listening on \(address.address)",
                    metadata: [
                        "listener": "\(entry.name)",
                        "handler": "\(entry.configuration.handler.kind.rawValue)",
                        "origin": "\(address.origin.rawValue)",
                    ]
                )
            }
        }
        logger.notice(
            .ready,
            "verypolld \(Release.version) is ready",
            metadata: [
                "configuration": "\(loaded.path ?? "built-in default")",
                "workers": "\(workers.count)",
                "maxSessions": "\(workers.totalLimiter.limit)",
            ]
        )
    }

    // MARK: Stopping

    /// Stops accepting, and gives the sessions their time to end.
    func drain(because signal: Signal) {
        let name = signal == .terminate ? "SIGTERM" : "SIGINT"
        logger.notice(
            .stopping,
            "stopping for \(name)",
            metadata: ["sessions": "\(workers.totalLimiter.active)"]
        )
        let deadline = loaded.configuration.drain.deadline
        handoff.decide()
        if lifecycle.phase == .starting, !handoff.store.isForRestart { handoff.abandon() }
        lifecycle.drain(until: .now + deadline)
        live.releaseSockets()
        noteListeners()
        manager.stopping(summary)
        if handoff.handsOff {
            workers.post(.stopAccepting)
            if !awaitsRoom { stop(because: "the next process goes on") }
        } else {
            let now = MonotonicClock.milliseconds()
            workers.post(.drain(DrainWindow(from: now, lasting: deadline.milliseconds)))
        }
    }

    /// Whether a stop has to wait until the sessions are fewer.
    var awaitsRoom: Bool { handoff.awaitsRoom(for: sessionCounts) }

    /// How many sessions each worker has.
    private var sessionCounts: [Int] { workers.counters.map { Int($0.tally.sessions) } }

    /// Closes all sessions, and has the workers end.
    func stop(because reason: String) {
        let left = workers.totalLimiter.active
        if left > 0, !handoff.handsOff {
            logger.notice(
                .sessionsClosed,
                "closing all sessions: \(reason)",
                metadata: ["sessions": "\(left)"]
            )
        }
        lifecycle.stop(until: .now + (handoff.handsOff ? Self.packingLimit : Self.stopLimit))
        // To be killed now would be to lose them all.
        if handoff.handsOff { manager.extendTimeout(by: Self.packingLimit * 2) }
        noteListeners()
        if handoff.handsOff { handoff.begin(sessionCounts) }
        workers.post(handoff.handsOff ? .handoff : .end)
    }

    /// Ends the daemon if nobody has come for as long as the configuration says.
    ///
    /// Its sockets are all systemd's then, so that a connection which comes now starts it anew. Of
    /// those that are accepted in the very last moment none is lost: the daemon goes on with them.
    func leaveIfIdle(_ now: ContinuousClock.Instant) {
        guard lifecycle.isRunning else { return }
        if idle.isClosed {
            idle.isClosed = false
            if workers.totalLimiter.places.load(ordering: .sequentiallyConsistent) == 0 {
                logger.notice(.idleExit, "ending, as nobody has come for a while")
                manager.stopping("ending, idle")
                return stop(because: "idle")
            }
            live.setClosed(false)
            return rollOut(.order)
        }
        guard rollouts.isEmpty, !reload.isBusy, !live.isClosed else { return }
        let isDue = idle.isDue(
            active: workers.totalLimiter.active,
            accepted: live.totalTally.accepted,
            limit: loaded.configuration.exitOnIdle,
            now: now
        )
        guard isDue else { return }
        live.setClosed(true)
        rollOut(.idleExit)
    }
}
