internal import Logging
internal import Varlink
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// Calls about sessions. The workers have the sessions, so they find and close them.

extension Supervisor {
    func sessions(
        matching query: SessionQuery,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionList> {
        let filter = try filter(of: query)
        let number = control.pendingCalls.addListing(
            for: callID,
            limit: filter.limit,
            workers: workers.count
        )
        workers.post(.listSessions(filter, callID: number))
        return .later
    }

    func session(
        _ id: Int,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionAnswer> {
        let mailbox = try mailbox(forSession: id)
        let number = control.pendingCalls.add(id, for: callID)
        mailbox.post(.showSession(id: UInt64(id), callID: number))
        return .later
    }

    func killSession(
        _ id: Int,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        let mailbox = try mailbox(forSession: id)
        let number = try control.pendingKills.add(id, for: callID, by: caller)
        let isTaken = mailbox.post(.killSession(id: UInt64(id), callID: number))
        try control.pendingKills.noteUnasked(isTaken ? 0 : 1, of: number)
        return .later
    }

    func killSessions(
        _ request: KillRequest,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<KillCount> {
        let filter = try filter(of: request.query)
        let number = try control.pendingKills.add(
            request.query,
            for: callID,
            by: caller,
            workers: workers.count
        )
        let refusedCount = workers.mailboxes.count { mailbox in
            !mailbox.post(.killSessions(filter, callID: number))
        }
        try control.pendingKills.noteUnasked(refusedCount, of: number)
        return .later
    }

    // MARK: Reports

    /// Answers the call that has closed a session, or has not found it.
    func finishKill(_ number: Int, of session: SessionSnapshot?) {
        guard let kill = control.pendingKills.note(session == nil ? 0 : 1, of: number) else {
            return
        }
        guard let session else {
            let error = VarlinkError.sessionNotFound(kill.session ?? 0)
            return control.complete(
                kill.callID,
                with: Result<NoParameters, VarlinkError>.failure(error)
            )
        }
        let peer = session.peer.isEmpty ? "" : " of \(session.peer)"
        logger.notice(
            .sessionsKilled,
            "session \(session.id)\(peer) on \(session.listener) is killed by \(kill.caller)",
            metadata: [
                "sessions": .number(1), "session": .number(session.id),
                "listener": "\(session.listener)", "peer": "\(session.peer)",
            ].by(kill.caller)
        )
        note(kill, session: Status.Session(session, isClosing: true))
        control.complete(
            kill.callID,
            with: Result<NoParameters, VarlinkError>.success(NoParameters())
        )
    }

    /// Notes the sessions that a worker has closed, and answers the call after the last worker.
    func finishKill(_ number: Int, count: Int) {
        guard let kill = control.pendingKills.note(count, of: number) else { return }
        let criteria = kill.criteria == SessionQuery() ? "all" : kill.criteria.text
        let noun = kill.count == 1 ? "1 session is" : "\(kill.count) sessions are"
        logger.notice(
            .sessionsKilled,
            "\(noun) killed by \(kill.caller), selected by: \(criteria)",
            metadata: ["sessions": .number(kill.count), "criteria": "\(criteria)"].by(kill.caller)
        )
        note(kill)
        control.complete(
            kill.callID,
            with: Result<KillCount, VarlinkError>.success(KillCount(count: kill.count))
        )
    }

    private func note(_ kill: PendingKills.Kill, session: Status.Session? = nil) {
        var event = MonitorEvent(.sessionsKilled, timestampUSec: WallClock.microseconds())
        event.caller = kill.caller
        event.count = kill.count
        event.session = session
        events.changes.note(event)
    }

    // MARK: Finding sessions

    /// Returns the filter for a query.
    private func filter(of query: SessionQuery) throws(VarlinkError) -> SessionFilter {
        var filter = SessionFilter(
            upstream: query.upstream,
            server: query.server,
            limit: query.effectiveLimit
        )
        if let name = query.listener {
            filter.listeners = live.slots(ofListener: name)
            if filter.listeners == nil { throw .listenerNotFound(name) }
        }
        if let name = query.upstream, !upstreamMonitor.hasUpstream(name) {
            throw .upstreamNotFound(name)
        }
        if let name = query.server, !upstreamMonitor.hasServer(name, of: query.upstream) {
            throw .serverNotFound(name, of: query.upstream ?? "")
        }
        do throws(InvalidValue) {
            filter.peer = try query.peer.map { text throws(InvalidValue) in
                try PeerPattern(text)
            }
        } catch {
            throw .invalidParameter("peer")
        }
        do throws(InvalidValue) {
            filter.serverName = try query.serverName.map { text throws(InvalidValue) in
                try ServerNamePattern(text)
            }
        } catch {
            throw .invalidParameter("serverName")
        }
        return filter
    }

    /// Returns the mailbox of the worker that has a session, if the session is open.
    private func mailbox(forSession id: Int) throws(VarlinkError) -> Mailbox<WorkerMessage> {
        guard id > 0 else { throw .sessionNotFound(id) }
        // The ID of a session determines its worker; see `Worker.nextSessionID`.
        return workers.mailboxes[(id - 1) % workers.count]
    }
}
