internal import SystemPackage
internal import Verypoll

extension Worker {
    /// Begins a session for a connection that the limiters have admitted.
    mutating func begin(
        _ accepted: consuming ListeningSocket.Accepted,
        listener: Int,
        _ admission: Admission
    ) {
        let peer = accepted.peer
        let vsockPeer = accepted.vsockPeer
        var session = Session(
            id: nextSessionID,
            listener: listener,
            now: serveContext.now,
            socket: accepted.socket,
            peer: peer,
            upstream: context.listeners[listener].upstream
        )
        nextSessionID += UInt64(context.workerCount)
        if let vsockPeer {
            session.headerAddresses = serveContext.headerAddresses.take(vsockPeer: vsockPeer)
        }
        if let peer { session.proxyState.hops = hops(from: peer) }
        session.inspection = Session.Inspection(context.listeners[listener].router)
        switch admission {
        case .awaitsHeader: session.awaitsHeader = true
        case .admitted(let isCounted): session.isCountedBySource = isCounted
        case .refused: break
        }
        switch sessions.insert(session) {
        case .full:
            // The limiter of all sessions admits no more than the slab holds.
            preconditionFailure("slab capacity overflow")
        case .stored(let key):
            if context.sessionEvents.areWanted { announce(sessions[key]) }
            tallies.note(listener) { tally in
                tally.accepted += 1
                tally.active += 1
            }
            do throws(Errno) {
                try sessions[key].client.register(
                    with: poll.registry,
                    token: key.token,
                    forOutput: false
                )
            } catch {
                return end(key, because: .failed(error))
            }
            setTimer(key)
            guard !sessions[key].awaitsHeader else { return }
            let service = context.listeners[listener].service
            if service == .proxy {
                if sessions[key].inspection == .none { connect(key, .started) }
            } else if !service.awaitsClient {
                schedule.ready.append(key)  // No event starts a handler that sends first.
            }
        }
    }

    /// Updates a session's state from an event of one of its connections, and serves the session
    /// unless it is in the ready queue already.
    mutating func handle(_ event: Event, _ key: SlabKey) {
        if !Tokens.isServer(event.token) {
            sessions[key].client.note(event)
            if event.isError { sessions[key].loseClient() }
        } else if sessions[key].proxyState.connector.phase != .connecting {
            sessions[key].proxyState.server.note(event)
            if event.isError { sessions[key].loseServer() }
        } else if !noteConnecting(event, key) {
            return
        }
        if !schedule.ready.contains(key) { serve(key) }
    }

    /// Updates the state of a server's connection that is still being made.
    ///
    /// - Returns: Whether the session must be served.
    private mutating func noteConnecting(_ event: Event, _ key: SlabKey) -> Bool {
        // A server that is asked for TLS has been reached once it has answered.
        let isAsked = sessions[key].proxyState.request != .none
        guard event.isError else {
            sessions[key].proxyState.server.note(event)
            return event.isWritable && !isAsked ? connectionMade(key) : true
        }
        switch sessions[key].proxyState.server.socket.connectError() {
        case .connectionReset where !isAsked:
            // The connection was made and then reset; bytes that the server sent before can still
            // be read.
            guard connectionMade(key) else { return false }
            sessions[key].breakServer()
            return true
        case let error?:
            connect(key, .attemptFailed(error))
            return false
        case nil:
            // The event is about a connection that this one has replaced in the current turn.
            return false
        }
    }

    /// Serves a session: reads its PROXY header if it is still to be read, then runs its handler.
    mutating func serve(_ key: SlabKey) {
        if sessions[key].awaitsHeader {
            guard readHeader(key) else { return }
            if sessions[key].proxyState.connector.upstream != nil { return connect(key, .started) }
        }
        if sessions[key].inspection != .none { return inspect(key) }
        let outcome = work(key)
        if case .end(.serverFailed(let error)) = outcome.step,
            sessions[key].proxyState.connector.phase == .connecting
        {
            return connect(key, .attemptFailed(error))
        }
        settle(key, outcome)
    }

    /// Runs a session's handler and counts the bytes that it has moved.
    mutating func work(_ key: SlabKey) -> Session.Outcome {
        let listener = sessions[key].listener
        var outcome = sessions[key].serve(context.listeners[listener].service, in: &serveContext)
        if outcome.bytesIn + outcome.bytesOut > 0 {
            tallies.note(listener) { tally in
                tally.bytesIn += outcome.bytesIn
                tally.bytesOut += outcome.bytesOut
            }
        }
        if outcome.server != ServerTally(), let server = sessions[key].proxyState.connector.server,
            let upstream = sessions[key].proxyState.connector.upstream
        {
            tallies.servers.add(outcome.server, upstream: upstream, server: server)
        }
        if outcome.hasConnected, !reportConnected(key) { outcome.step = .end(.serverDown) }
        return outcome
    }

    /// Acts on the result of serving a session.
    mutating func settle(_ key: SlabKey, _ outcome: Session.Outcome) {
        switch outcome.step {
        case .wait: break
        case .again: schedule.ready.append(key)
        case .starved: schedule.starved.append(key)
        case .linger:
            _ = sessions[key].proxyState.connector.linger(now: serveContext.now)
            setTimer(key)
        case .askForReport(let kind): awaitReport(kind, key)
        case .end(let reason): return end(key, because: reason)
        }
        if outcome.hasHalfClosed || outcome.awaitsHead { setTimer(key) }
        if outcome.isBlocked { watchOutput(key) }
        feedStarved()
    }

    /// Watches the connections whose last write was short, so that an event reports room.
    private mutating func watchOutput(_ key: SlabKey) {
        do throws(Errno) {
            if sessions[key].client.lacksOutputEvents {
                try sessions[key].client.watchOutput(with: poll.registry, token: key.token)
            }
            if sessions[key].proxyState.server.lacksOutputEvents {
                let token = Tokens.server(key)
                try sessions[key].proxyState.server.watchOutput(with: poll.registry, token: token)
            }
        } catch {
            end(key, because: .failed(error))
        }
    }

    /// Ends a session and releases everything that it holds.
    mutating func end(_ key: SlabKey, because reason: Session.EndReason) {
        guard var session = sessions.remove(key) else { return }
        schedule.timers.cancel(key.index)
        let isBroken =
            reason != .handedOff
            && (reason.isBreak || session.proxyState.connector.phase == .breaking
                || !session.toServer.isEmpty
                || !session.toClient.isEmpty)
        forgetOwnConnection(of: session)
        session.toServer.releaseBuffers(in: &serveContext)
        session.toClient.releaseBuffers(in: &serveContext)
        let listener = context.listeners[session.listener]
        let duration = (serveContext.now - session.openedAt) * 1_000
        let code = reason.code
        tallies.note(session.listener) { tally in
            tally.active -= 1
            tally.sessionTime.add(microseconds: duration)
            tally.ends[code] += 1
        }
        context.listenerCounters[session.listener].publish(
            tallies.listeners[session.listener],
            afterEnd: code
        )
        if context.sessionEvents.areWanted { announce(session, endedBecause: reason) }
        if listener.logsSessions ?? context.logsSessions { logEnd(of: session, reason) }
        forget(&session.announced, of: listener)
        if let addresses = session.headerAddresses.take() {
            serveContext.headerAddresses.give(addresses)
        }
        if session.isCountedBySource, let ip = session.peer?.ip { listener.sources?.leave(ip) }
        if let cause = reason.refusal {
            noteRefusal(because: cause, session.listener, session.peer)
        }
        countRefusal(session, reason)
        countServerError(session, reason)
        // Publish the counters before releasing the places, so that no reader sees the session gone
        // but uncounted.
        publish()
        let isListenerAwaited = listener.limiter.release()
        let isTotalAwaited = context.totalLimiter.release()
        release(&session.proxyState)
        // Close the connections here: the descriptor reserve and other workers may need their
        // descriptors.
        if isBroken,
            session.proxyState.connector.upstream != nil || session.awaitsHeader
                || session.inspection != .none
        {
            session.breakOff()
        } else {
            session.close()
        }
        if context.descriptors.isShort { context.descriptors.refill() }
        if isListenerAwaited || isTotalAwaited { tellOfRoom() }
        acceptorList.retryNow(now: serveContext.now)
        feedStarved()
        if isDraining, !isEnding, sessions.count == 0 { context.supervisor.post(.empty) }
    }

    /// Ends all sessions because the daemon stops.
    mutating func endAll() {
        for index in 0..<sessions.endIndex {
            if let key = sessions.key(at: index) { end(key, because: .stopped) }
        }
    }

    /// Moves the sessions that wait for a buffer to the ready queue if the pool has room.
    private mutating func feedStarved() {
        guard !schedule.starved.isEmpty, serveContext.pool.hasRoom else { return }
        schedule.feedStarved(of: sessions)
    }

    /// Sets the timer to the session's next deadline.
    ///
    /// Needed only if the deadline may have become earlier. If it has become later, the timer is
    /// set again when it fires.
    mutating func setTimer(_ key: SlabKey) {
        guard let due = deadline(of: key) else { return }
        schedule.timers.schedule(key.index, at: due.millisecond)
    }

    /// Returns the time at which the session's timer fires next, and the reason; `nil` if nothing
    /// bounds the session.
    ///
    /// There is one timer per session; ``handleTimers()`` acts on it.
    mutating func deadline(of key: SlabKey) -> Session.Deadline? {
        let listener = sessions[key].listener
        let due = sessions[key].deadline(context.listeners[listener].timeouts)
        if drains.isEmpty { return due }
        guard let moment = drains.moment(for: sessions[key]) else { return due }
        if let due, due.millisecond < moment { return due }
        return Session.Deadline(millisecond: moment, timeout: .drain)
    }
}

extension Session {
    /// Closes the connections; consuming, so that they are closed before the caller continues.
    fileprivate consuming func close() {
        guard let client = client.socket.release(), let server = proxyState.server.socket.release()
        else {
            return
        }
        OwnedFD.close(client, server)
    }

    /// Resets both connections, so that each peer learns that something is missing.
    fileprivate consuming func breakOff() {
        client.socket.reset()
        proxyState.server.socket.reset()
    }
}
