internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// Collects events for the clients that monitor the daemon and for the status page.

extension Supervisor {
    func beginMonitoring() -> Status {
        // Collect sessions before taking the status, so that none is missed in between.
        events.sessions.areWanted = true
        let status = status()
        beginChanges(with: status.listeners)
        return status
    }

    /// Starts to collect changes, from the present state of the listeners.
    func beginChanges(with present: [Status.Listener]) {
        upstreamMonitor.isMonitored = true
        let pauses = live.listeners.map { entry in
            (entry.name, live.listener(of: entry).counters.map(\.pauseReason))
        }
        events.changes.begin(with: present, pauses: Dictionary(pauses) { first, _ in first })
    }

    // MARK: Noting

    /// Notes the current state of the listeners.
    func noteListeners(at timestamp: Int = WallClock.microseconds()) {
        guard events.changes.isActive else { return }
        events.changes.note(listeners(), timestampUSec: timestamp)
    }

    /// Notes the outcome of a reload.
    ///
    /// - Parameters:
    ///   - result: The changes, or the problems.
    ///   - caller: The process that requested the reload; `nil` for a signal.
    func noteReload(
        _ result: Result<[ConfigurationChange], ConfigurationError>,
        by caller: Caller?
    ) {
        guard events.changes.isActive else { return }
        let timestamp = WallClock.microseconds()
        var event =
            switch result {
            case .success(let changes): MonitorEvent(changes, timestampUSec: timestamp)
            case .failure(let error): MonitorEvent(error.reported, timestampUSec: timestamp)
            }
        event.caller = caller
        events.changes.note(event)
        if case .success = result { noteListeners(at: timestamp) }
    }

    /// Notes that an operator has begun or ended a drain, and the states that follow from it.
    ///
    /// - Parameters:
    ///   - kind: `drainBegun` or `drainEnded`.
    ///   - name: The listener; `nil` for all.
    ///   - caller: The process that made the call.
    func noteDrain(_ kind: MonitorEvent.Kind, of name: String?, by caller: Caller) {
        guard events.changes.isActive else { return }
        let timestamp = WallClock.microseconds()
        var event = MonitorEvent(kind, timestampUSec: timestamp)
        event.listener = live.listeners.first { $0.name == name }.map(status)
        event.caller = caller
        events.changes.note(event)
        noteListeners(at: timestamp)
    }

    /// Notes that an operator has set the mode or the weight of a server.
    ///
    /// - Parameters:
    ///   - index: The server.
    ///   - former: The server's status before the change.
    ///   - caller: The process that made the call.
    func noteOrder(to index: ServerIndex, former: Status.Server, by caller: Caller) {
        guard events.changes.isActive else { return }
        noteServers()
        let timestamp = WallClock.microseconds()
        let server = upstreamMonitor.status(of: index)
        let upstream = upstreamMonitor.upstreams[index.upstream].name
        var event = MonitorEvent(.serverSet, timestampUSec: timestamp)
        event.upstream = upstream
        event.server = server
        event.caller = caller
        events.changes.note(event)
        guard server.getsSessions != former.getsSessions else { return }
        events.changes.note(MonitorEvent(server, of: upstream, timestampUSec: timestamp))
    }

    /// Notes that a reload has set the mode of a server.
    ///
    /// - Parameters:
    ///   - index: The server.
    ///   - former: The server's mode before the change.
    func noteMode(of index: ServerIndex, former: Status.Server.Mode) {
        guard events.changes.isActive else { return }
        noteServers()
        let upstream = upstreamMonitor.upstreams[index.upstream].name
        let server = upstreamMonitor.status(of: index)
        var before = server
        before.mode = former
        guard server.getsSessions != before.getsSessions else { return }
        events.changes.note(
            MonitorEvent(server, of: upstream, timestampUSec: WallClock.microseconds())
        )
    }

    /// Notes changes in the health of servers.
    private func noteServers() {
        for change in upstreamMonitor.takeChanges() {
            events.changes.note(
                MonitorEvent(
                    change.server,
                    of: change.upstream,
                    timestampUSec: change.server.stateTimestampUSec
                )
            )
        }
    }

    /// Notes the listeners that are drained because their last session has ended.
    private func noteDrained() {
        for (name, timestamp) in events.changes.lastEnds {
            guard let entry = live.listeners.first(where: { $0.name == name }) else { continue }
            let listener = status(of: entry)
            guard listener.state == .drained else { continue }
            events.changes.note(listener, timestampUSec: timestamp)
        }
    }

    /// Notes that a worker has paused a listener, or accepts again.
    private func notePause(_ reason: PauseReason, of worker: Int, on name: String, at time: Int) {
        let reason = events.changes.note(reason, of: worker, on: name)
        guard let entry = live.listeners.first(where: { $0.name == name }) else { return }
        var listener = status(of: entry)
        guard [.accepting, .paused].contains(listener.state) else { return }
        listener.state = reason == .none ? .accepting : .paused
        listener.stateReason = describe(reason, of: entry)
        events.changes.note(listener, timestampUSec: time)
    }

    // MARK: Sending

    /// Sends the collected events to the clients that monitor the daemon, in chronological order.
    func announce(now: ContinuousClock.Instant) {
        let areSessionsDue = events.sessionsDueAt.map { $0 <= now } ?? false
        guard events.changes.isActive else {
            if areSessionsDue { _ = events.takeSessions() }
            return
        }
        if control.server.monitorCount == 0 {
            events.sessions.areWanted = false
            guard events.keepsHistory else {
                upstreamMonitor.isMonitored = false
                return events.end()
            }
        }
        noteServers()
        noteDrained()
        guard areSessionsDue || events.changes.hasEvents else { return }
        // Take all sessions, even if they are not due yet: they may have happened before the other
        // events.
        let gathered = events.takeSessions()
        var all = gathered.events.compactMap(event)
        noteDrained()
        let changes = events.changes.takeEvents()
        all += changes.events
        all.sort { $0.timestampUSec < $1.timestampUSec }
        let lostCount = gathered.lostCount + changes.lostCount
        if lostCount > 0 {
            all.append(MonitorEvent(lost: lostCount))
            noteListeners()
        }
        if events.keepsHistory { for event in all { events.history.note(event) } }
        control.server.tell(all)
    }

    /// Returns the event of a session; a pause is noted with the other changes instead.
    private func event(_ gathered: SessionEvents.Event) -> MonitorEvent? {
        switch gathered.content {
        case .session(let session, let reason):
            if reason != nil {
                events.changes.noteEnd(of: session.listener, timestampUSec: gathered.timestamp)
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
