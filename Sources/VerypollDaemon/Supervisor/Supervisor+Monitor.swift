internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// Notes what happens for those who monitor the daemon, and tells them.

extension Supervisor {
    func beginMonitoring() -> Status {
        // First, so that no session falls between the present and the events.
        sessionEvents.areWanted = true
        upstreamMonitor.isMonitored = true
        let pauses = live.listeners.map { entry in
            (entry.name, live.listener(of: entry).counters.map(\.pauseReason))
        }
        let status = status()
        monitoring.begin(
            with: status.listeners,
            pauses: Dictionary(pauses) { first, _ in first }
        )
        return status
    }

    /// How long sessions gather, so that each does not take a turn of this thread, which may share
    /// the session's processor.
    static let sessionDelay = Duration.milliseconds(100)

    // MARK: Noting

    /// Notes how the listeners are from now on.
    func noteListeners(at timestamp: Int = WallClock.microseconds()) {
        guard monitoring.isActive else { return }
        monitoring.note(listeners(), timestampUSec: timestamp)
    }

    /// Notes what became of a reload.
    func noteReload(_ result: Result<[ConfigurationChange], ConfigurationError>) {
        guard monitoring.isActive else { return }
        let timestamp = WallClock.microseconds()
        switch result {
        case .success(let changes):
            monitoring.note(MonitorEvent(changes, timestampUSec: timestamp))
            noteListeners(at: timestamp)
        case .failure(let error):
            monitoring.note(MonitorEvent(error.reported, timestampUSec: timestamp))
        }
    }

    /// Notes what an operator has set a server to.
    ///
    /// - Parameters:
    ///   - index: The server.
    ///   - former: How it was before.
    func noteOrder(to index: ServerIndex, former: Status.Server) {
        guard monitoring.isActive else { return }
        noteServers()
        let timestamp = WallClock.microseconds()
        let server = upstreamMonitor.status(of: index)
        let upstream = upstreamMonitor.upstreams[index.upstream].name
        var event = MonitorEvent(.serverSet, timestampUSec: timestamp)
        event.upstream = upstream
        event.server = server
        monitoring.note(event)
        guard server.getsSessions != former.getsSessions else { return }
        monitoring.note(MonitorEvent(server, of: upstream, timestampUSec: timestamp))
    }

    /// Notes what has changed in the health of servers.
    private func noteServers() {
        for change in upstreamMonitor.takeChanges() {
            monitoring.note(
                MonitorEvent(
                    change.server,
                    of: change.upstream,
                    timestampUSec: change.server.stateTimestampUSec
                )
            )
        }
    }

    /// Notes that listeners have drained whose last session has ended.
    private func noteDrained() {
        for (name, timestamp) in monitoring.lastEnds {
            guard let entry = live.listeners.first(where: { $0.name == name }) else { continue }
            let listener = status(of: entry)
            guard listener.state == .drained else { continue }
            monitoring.note(listener, timestampUSec: timestamp)
        }
    }

    /// Notes that a worker has paused a listener, or accepts again.
    private func notePause(_ reason: PauseReason, of worker: Int, on name: String, at time: Int) {
        let reason = monitoring.note(reason, of: worker, on: name)
        guard let entry = live.listeners.first(where: { $0.name == name }) else { return }
        var listener = status(of: entry)
        guard [.accepting, .paused].contains(listener.state) else { return }
        listener.state = reason == .none ? .accepting : .paused
        listener.stateReason = describe(reason, of: entry)
        monitoring.note(listener, timestampUSec: time)
    }

    // MARK: Telling

    /// Tells those who monitor what has happened, each in the order of time.
    func announce(now: ContinuousClock.Instant) {
        let areSessionsDue = sessionsAreDueAt.map { $0 <= now } ?? false
        guard monitoring.isActive else {
            if areSessionsDue { dropSessions() }
            return
        }
        guard control.monitorCount > 0 else {
            sessionEvents.areWanted = false
            upstreamMonitor.isMonitored = false
            monitoring.end()
            return dropSessions()
        }
        noteServers()
        noteDrained()
        guard areSessionsDue || monitoring.hasEvents else { return }
        // Also those that are not due, as they may have happened before.
        sessionsAreDueAt = nil
        let gathered = sessionEvents.takeAll()
        var events = gathered.events.compactMap(event)
        noteDrained()
        let changes = monitoring.takeEvents()
        events += changes.events
        events.sort { $0.timestampUSec < $1.timestampUSec }
        let lostCount = gathered.lostCount + changes.lostCount
        if lostCount > 0 {
            events.append(MonitorEvent(lost: lostCount))
            noteListeners()
        }
        control.tell(events)
    }

    private func dropSessions() {
        sessionsAreDueAt = nil
        _ = sessionEvents.takeAll()
    }

    /// What is told of a session; a pause is noted with the other changes.
    private func event(_ gathered: SessionEvents.Event) -> MonitorEvent? {
        switch gathered.content {
        case .session(let session, let reason):
            if reason != nil {
                monitoring.noteEnd(of: session.listener, timestampUSec: gathered.timestamp)
            }
            var event = MonitorEvent(
                reason == nil ? .sessionOpened : .sessionClosed,
                timestampUSec: gathered.timestamp
            )
            event.session = Status.Session(session, isClosing: reason != nil)
            event.reason = reason
            return event
        case .pause(let reason, let worker, let listener):
            notePause(reason, of: worker, on: listener, at: gathered.timestamp)
            return nil
        }
    }
}
