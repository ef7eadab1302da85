internal import SystemPackage
internal import Verypoll

extension Worker {
    /// Handles all messages in the mailbox.
    mutating func handleMail() {
        for message in mailbox.takeAll() {
            switch message {
            case .begin(let snapshot, let share): begin(snapshot, share)
            case .ping: context.supervisor.post(.pong(worker: context.index))
            case .resume: resume()
            case .adopt(let snapshot): adopt(snapshot)
            case .drain(let window): drain(window)
            case .stopAccepting: stopAccepting()
            case .handoff: handoff()
            case .end: endWork()
            case .listSessions(let filter, let callID): list(filter, callID: callID)
            case .showSession(let id, let callID): show(id, callID: callID)
            case .killSession(let id, let callID): kill(id, callID: callID)
            case .killSessions(let filter, let callID): beginSweep(filter, callID: callID)
            case .serversChanged: retryHeld()
            case .serversDown(let servers): applyWhenDown(of: servers)
            case .serversUp(let servers): withdrawWhenDown(of: servers)
            case .report(let report): answer(with: report)
            }
        }
    }

    private mutating func resume() {
        retryHeld()
        reopenAcceptors(.forSessions)
    }

    private mutating func drain(_ window: DrainWindow) {
        closeAcceptors()
        endIdleMetrics()
        isDraining = true
        drains.all = window
        hasten()
        if sessions.count == 0 { context.supervisor.post(.empty) }
    }

    private mutating func endWork() {
        isDraining = true
        isEnding = true
        closeAcceptors()
        endAll()
        context.supervisor.post(.ended)
    }

    // MARK: Snapshots of the configuration

    /// Adopts a snapshot; sessions keep their listeners and upstreams.
    mutating func adopt(_ snapshot: WorkerSnapshot) {
        publish()
        install(snapshot)
        drains = snapshot.drains
        guard !isDraining else { return }  // The acceptors stay closed.
        changeAcceptors(to: snapshot, report: .adopted(snapshot: snapshot.number))
        hasten()
        // A limit may have been raised, which frees places like the end of a session.
        retryHeld()
        reopenAcceptors(.forSessions)
        changeAcceptors()
    }

    /// Installs the tables of a snapshot; cannot fail.
    mutating func install(_ snapshot: WorkerSnapshot) {
        tallies.adopt(snapshot.listeners, after: context.listeners)
        context.listeners = snapshot.listeners
        context.listenerCounters = snapshot.listeners.map { $0.counters[context.index] }
        context.upstreams = snapshot.upstreams
        tallies.servers.adopt(snapshot.upstreams, worker: context.index)
        context.chainedPorts = snapshot.chainedPorts
        context.logsSessions = snapshot.logsSessions
        context.drainDeadline = snapshot.drainDeadline
        serveContext.splicePipes.limit = snapshot.pipeLimit
    }

    /// Sets the timers of the sessions that are drained, so that they end in time.
    mutating func hasten() {
        guard !drains.isEmpty else { return }
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index) else { continue }
            if drains.moment(for: sessions[key]) != nil { setTimer(key) }
        }
    }

    // MARK: Metrics and the status page

    /// Requests a report for a session from the supervisor, or refuses the session's request.
    mutating func awaitReport(_ kind: ReportKind, _ key: SlabKey) {
        if kind.isPartOfPage, !context.listeners[sessions[key].listener].servesPage {
            sessions[key].exchange?.refuse(.notFound)
            return schedule.ready.append(key)
        }
        reportQueues[kind, default: ReportQueue()].waiting.append(key)
        askForReport(kind)
    }

    /// Passes a report to the sessions that have waited for it.
    mutating func answer(with report: Report) {
        let keys = reportQueues[report.kind]?.asking ?? []
        reportQueues[report.kind]?.asking = []
        for key in keys where sessions.contains(key) {
            // If the daemon is about to stop, clients must not send another request. The page may
            // no longer be served; a new connection has the listener's present settings.
            let isReplaced = context.listeners[sessions[key].listener].isReplaced
            if isDraining || (report.kind.isPartOfPage && isReplaced) {
                sessions[key].exchange?.isLast = true
            }
            sessions[key].exchange?.answer(with: report)
            schedule.ready.append(key)
        }
        askForReport(report.kind)
    }

    private mutating func askForReport(_ kind: ReportKind) {
        guard let queue = reportQueues[kind], queue.asking.isEmpty, !queue.waiting.isEmpty
        else { return }
        reportQueues[kind] = ReportQueue(asking: queue.waiting)
        guard !context.supervisor.post(.writeReport(kind, worker: context.index)) else { return }
        reportQueues[kind] = nil
        for key in queue.waiting where sessions.contains(key) {
            sessions[key].exchange?.refuse(.unavailable)
            schedule.ready.append(key)
        }
    }

    /// Ends the metrics sessions without an open request, and the others after their response.
    ///
    /// Clients that scrape metrics keep their connections open, which would delay every stop.
    mutating func endIdleMetrics() {
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index),
                context.listeners[sessions[key].listener].service == .metrics
            else { continue }
            if let exchange = sessions[key].exchange {
                exchange.isLast = true
            } else {
                end(key, because: .drained)
            }
        }
    }

    // MARK: Snapshots

    /// Returns the upstream that a session is proxied to; `nil` if it is not proxied.
    func upstream(of session: borrowing Session) -> Upstream? {
        session.proxyState.connector.upstream.map { context.upstreams[$0] }
    }

    /// Returns the name of the route that matched a session; `nil` if none did.
    func routeName(of session: borrowing Session) -> String? {
        session.announced?.route.flatMap { route in
            context.listeners[session.listener].router?.routes[route].name
        }
    }

    /// Returns the state of a session for the control socket.
    func snapshot(of session: borrowing Session) -> SessionSnapshot {
        let upstream = upstream(of: session)
        let age = Int(serveContext.now - session.openedAt) * 1000
        return SessionSnapshot(
            id: session.id,
            listener: context.listeners[session.listener].name,
            worker: context.index,
            peer: session.peerDescription,
            local: session.localDescription,
            upstream: upstream?.name,
            server: upstream.flatMap { upstream in
                session.proxyState.connector.server.map { upstream.servers[$0].name }
            },
            state: SessionSnapshot.State(session),
            openedTimestamp: WallClock.microseconds() - age,
            idleMicroseconds: Int(serveContext.now - session.activeAt) * 1000,
            bytesIn: session.bytesIn,
            bytesOut: session.bytesOut,
            bufferedByteCount: session.bufferedByteCount,
            serverName: session.announced?.serverNameText,
            alpn: session.announced?.protocolTexts,
            route: routeName(of: session)
        )
    }

    // MARK: Events

    /// Reports to monitoring clients, if there are any, that a session has begun or ended.
    func announce(_ session: borrowing Session, endedBecause reason: Session.EndReason? = nil) {
        guard context.sessionEvents.areWanted else { return }
        let event = SessionEvents.Event(
            content: .session(snapshot(of: session), reason: reason?.description),
            timestamp: WallClock.microseconds()
        )
        context.sessionEvents.post(event)
    }
}

extension Session {
    /// The number of bytes that wait for the client.
    fileprivate var bufferedByteCount: Int { toClient.bufferedByteCount }

    /// The address that the client connected to, as text.
    fileprivate var localDescription: String? {
        destination?.description ?? client.socket.localDescription
    }
}
