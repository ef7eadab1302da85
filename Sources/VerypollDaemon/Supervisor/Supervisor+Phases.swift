internal import Logging
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

extension Supervisor {
    /// Takes the place of the process before, now that nothing can keep this one from starting.
    ///
    /// - Throws: Why a socket does not listen. Then nothing that was passed has changed, and the
    ///   next process gets the same.
    func begin() throws {
        workersDone = 0
        try restart.exchange?.commit()
        restart.claim()
        for (index, mailbox) in workers.mailboxes.enumerated() {
            let share = restart.restoredSessions.share(of: index, workers: workers.count)
            mailbox.post(.begin(live.snapshot, share))
        }
        restart.releaseRest()
    }

    /// Tells that all workers accept.
    func becomeReady() {
        phase = .running
        workersDone = 0
        logReadiness()
        reportTakingOver()
        statusLine = summary
        tell { () throws(Errno) in try notifier.ready(status: statusLine) }
    }

    /// Stops accepting, and gives the sessions their time to end.
    func drain(because signal: Signal) {
        let name = signal == .terminate ? "SIGTERM" : "SIGINT"
        logger.notice(
            .stopping,
            "stopping for \(name)",
            metadata: ["sessions": "\(totalLimiter.active)"]
        )
        let deadline = loaded.configuration.drain.deadline
        restart.decide()
        if case .starting = phase, !restart.handoffStore.isForRestart { restart.abandon() }
        phase = .draining(until: .now + deadline)
        workersDone = 0
        live.releaseSockets()
        noteListeners()
        statusLine = summary
        tell { () throws(Errno) in try notifier.stopping(status: statusLine) }
        if restart.handsOff {
            workers.post(.stopAccepting)
            if !awaitsRoom { stop(because: "the next process goes on") }
        } else {
            let now = MonotonicClock.milliseconds()
            workers.post(.drain(DrainWindow(from: now, lasting: deadline.milliseconds)))
        }
    }

    /// Closes all sessions, and has the workers end.
    func stop(because reason: String) {
        let left = totalLimiter.active
        if left > 0, !restart.handsOff {
            logger.notice(
                .sessionsClosed,
                "closing all sessions: \(reason)",
                metadata: ["sessions": "\(left)"]
            )
        }
        phase = .stopping(until: .now + (restart.handsOff ? Self.packingLimit : Self.stopLimit))
        if restart.handsOff {
            // To be killed now would be to lose them all.
            tell { () throws(Errno) in try notifier.extendTimeout(by: Self.packingLimit * 2) }
        }
        workersDone = 0
        noteListeners()
        if restart.handsOff { beginHandoff() }
        workers.post(restart.handsOff ? .handoff : .end)
    }
}
