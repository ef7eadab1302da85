internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// Writes the status page and its data, and keeps the latest events for it.

extension Supervisor {
    /// Answers a worker that requested the status page or the status.
    ///
    /// The text may be long, so a thread writes it. Each kind of report is written by at most one
    /// thread at a time.
    func answer(_ kind: ReportKind, to worker: Int, now: ContinuousClock.Instant = .now) {
        switch reportCaches[kind, default: ReportCache()].ask(worker: worker, now: now) {
        case .wait: break
        case .answer(let report): workers.mailboxes[worker].post(.report(report))
        case .write:
            // The supervisor's own part of the work counts as well.
            let start = ContinuousClock.now
            let document = statusDocument()
            onThread("status") { [mailbox = inbox.mailbox] in
                let report = document.report(kind)
                mailbox.postBeyondLimit(.reportWritten(report, took: .now - start))
            }
        }
    }

    /// Passes a written report to the workers that wait for it.
    func finish(_ report: Report, took time: Duration, now: ContinuousClock.Instant = .now) {
        let askers = reportCaches[report.kind]?.note(report, took: time, now: now) ?? []
        for worker in askers { workers.mailboxes[worker].post(.report(report)) }
    }

    private func statusDocument() -> StatusDocument {
        StatusDocument(
            status(),
            timestampUSec: WallClock.microseconds(),
            hostName: HostName.current(),
            reloadRefusal: reload.refusal,
            events: events.history.events
        )
    }

    // MARK: Events

    /// Starts to keep the latest events if a listener serves the page, and stops if none does.
    func updateHistory() {
        let isWanted = live.listeners.contains { $0.configuration.handler.servesPage }
        guard isWanted != events.keepsHistory else { return }
        events.keepsHistory = isWanted
        if isWanted { beginChanges(with: listeners()) }
    }

    /// Notes drains that have ended, and drops reports that nobody has requested for a while.
    func tickPage(now: ContinuousClock.Instant) {
        for kind in reportCaches.keys { reportCaches[kind]?.expire(now: now) }
        // Without a client that monitors the daemon, no event reports the end of a session.
        guard events.keepsHistory, live.listeners.contains(where: { $0.drain != nil }) else {
            return
        }
        noteListeners()
    }
}
