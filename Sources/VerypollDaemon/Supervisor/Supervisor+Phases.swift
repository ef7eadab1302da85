internal import Logging
internal import Synchronization
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension Supervisor {
    /// The time within which the workers must close everything.
    private static let stopLimit = Duration.seconds(5)

    /// The time within which the workers must pack everything for the next process.
    private static let packingLimit = Duration.seconds(20)

    /// Performs the next step of the lifecycle.
    func perform(_ step: Lifecycle.Step) throws {
        switch step {
        case .wait, .end: break
        case .begin: try begin()
        case .becomeReady: becomeReady()
        case .stop: stop(because: "no session is left")
        }
    }

    /// Takes over from the previous process, now that everything else is ready.
    ///
    /// - Throws: `ListenerError` if a socket cannot listen. In that case, everything stored is
    ///   unchanged, and the next process receives the same.
    private func begin() throws {
        lifecycle.begin()
        try handoff.claim()
        for (index, mailbox) in workers.mailboxes.enumerated() {
            let share = handoff.restoredSessions.share(of: index, workers: workers.count)
            mailbox.post(.begin(live.snapshot, share))
        }
        handoff.releaseRest()
    }

    /// Reports that all workers accept.
    private func becomeReady() {
        lifecycle.becomeReady()
        logReadiness()
        handoff.reportRestored()
        manager.ready(summary)
    }

    /// Logs the listening addresses, and that the daemon is ready.
    private func logReadiness() {
        for entry in live.listeners {
            for address in entry.addresses {
                logger.info(
                    .listening,
                    "listener \(entry.name) is listening on \(address.address)",
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
                "workers": .number(workers.count),
                "maxSessions": .number(workers.totalLimiter.limit),
            ]
        )
    }

    // MARK: Stopping

    /// Begins to stop, or closes all sessions if the signal is the second one.
    func stop(for signal: Signal) {
        switch lifecycle.phase {
        case .draining: stop(because: "a second signal")
        case .starting, .running: drain(because: signal)
        case .stopping: break
        }
    }

    /// Stops accepting, and lets the sessions continue until the drain deadline.
    func drain(because signal: Signal) {
        let name = signal == .terminate ? "SIGTERM" : "SIGINT"
        logger.notice(
            .stopping,
            "stopping for \(name)",
            metadata: ["sessions": .number(workers.totalLimiter.active)]
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
            if !awaitsRoom { stop(because: "the sessions fit the store") }
        } else {
            let now = MonotonicClock.milliseconds()
            workers.post(.drain(DrainWindow(from: now, lasting: deadline.milliseconds)))
        }
    }

    /// Whether a stop must wait, because not all sessions fit the store.
    var awaitsRoom: Bool { handoff.awaitsRoom(for: sessionCounts) }

    /// The number of sessions of each worker.
    private var sessionCounts: [Int] { workers.counters.map { Int($0.tally.sessions) } }

    /// Closes all sessions, or packs them for the next process, and ends the workers.
    func stop(because reason: String) {
        let left = workers.totalLimiter.active
        if left > 0, !handoff.handsOff {
            logger.notice(
                .sessionsClosed,
                "closing all sessions: \(reason)",
                metadata: ["sessions": .number(left)]
            )
        }
        lifecycle.stop(until: .now + (handoff.handsOff ? Self.packingLimit : Self.stopLimit))
        // If systemd killed the process during the handoff, all sessions would be lost.
        if handoff.handsOff { manager.extendTimeout(by: Self.packingLimit * 2) }
        noteListeners()
        if handoff.handsOff { handoff.begin(sessionCounts) }
        workers.post(handoff.handsOff ? .handoff : .end)
    }

    /// Ends the daemon if it has been idle for the configured time.
    ///
    /// `exitOnIdle` requires that systemd passed all sockets, so the next connection starts the
    /// daemon again. If a connection is accepted at the last moment, the daemon keeps running and
    /// serves it.
    func leaveIfIdle(_ now: ContinuousClock.Instant) {
        guard lifecycle.isRunning, changes.current == nil else { return }
        if idle.isClosed {
            idle.isClosed = false
            if workers.totalLimiter.places.load(ordering: .sequentiallyConsistent) == 0 {
                let time = loaded.configuration.exitOnIdle.map { " for \($0.timeSpan)" } ?? ""
                logger.notice(.idleExit, "exiting: idle\(time)")
                manager.stopping("exiting, idle")
                return stop(because: "idle")
            }
            live.setClosed(false)
            return rollOut(.order)
        }
        guard changes.rollouts.isEmpty, !reload.isBusy, !live.isClosed else { return }
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
