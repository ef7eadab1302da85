internal import SystemPackage
internal import Verypoll

extension Worker {
    /// Takes on a connection that the limiters have let in.
    mutating func begin(
        _ accepted: consuming ListeningSocket.Accepted,
        listener: Int,
        _ admission: Admission
    ) {
        let peer = accepted.peer
        var session = Session(
            id: nextSessionID,
            listener: listener,
            now: serveContext.now,
            socket: accepted.socket,
            peer: peer,
            upstream: context.listeners[listener].upstream
        )
        nextSessionID += UInt64(context.workerCount)
        if let peer { session.proxyState.hops = hops(from: peer) }
        switch admission {
        case .awaitsHeader: session.awaitsHeader = true
        case .admitted(let isCounted): session.isCountedBySource = isCounted
        case .refused: break
        }
        switch sessions.insert(session) {
        case .full:
            // The limiter of all sessions lets no more in than the slab holds.
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
            bringForward(key)
            guard !sessions[key].awaitsHeader else { return }
            let service = context.listeners[listener].service
            if service == .proxy {
                connect(key, .started)
            } else if !service.awaitsClient {
                schedule.ready.append(key)  // No event tells a handler that speaks first to begin.
            }
        }
    }

    /// Notes what an event tells of one of a session's connections, and serves the session unless
    /// it has its turn later.
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

    /// Notes what an event tells of a connection to a server that is not made yet.
    ///
    /// - Returns: Whether there is anything to do for the session.
    private mutating func noteConnecting(_ event: Event, _ key: SlabKey) -> Bool {
        guard event.isError else {
            sessions[key].proxyState.server.note(event)
            if event.isWritable { connectionMade(key) }
            return true
        }
        switch sessions[key].proxyState.server.socket.connectError() {
        case .connectionReset:
            // It was made, and what the server has said before it broke it is still there.
            connectionMade(key)
            sessions[key].breakServer()
            return true
        case let error:
            connect(key, .attemptFailed(error ?? .connectionRefused))
            return false
        }
    }

    /// Lets a session do what there is to do.
    mutating func serve(_ key: SlabKey) {
        if sessions[key].awaitsHeader {
            guard readHeader(key) else { return }
            if sessions[key].proxyState.connector.upstream != nil { return connect(key, .started) }
        }
        let outcome = work(key)
        if case .end(.serverFailed(let error)) = outcome.step,
            sessions[key].proxyState.connector.phase == .connecting
        {
            return connect(key, .attemptFailed(error))
        }
        settle(key, outcome)
    }

    /// Does what there is to do for a session, and counts it.
    mutating func work(_ key: SlabKey) -> Session.Outcome {
        let listener = sessions[key].listener
        let outcome = sessions[key].serve(context.listeners[listener].service, in: &serveContext)
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
        if outcome.hasConnected { reportConnected(key) }
        return outcome
    }

    /// Does with a session what the result of serving it says.
    mutating func settle(_ key: SlabKey, _ outcome: Session.Outcome) {
        switch outcome.step {
        case .wait: break
        case .again: schedule.ready.append(key)
        case .starved: schedule.starved.append(key)
        case .linger:
            _ = sessions[key].proxyState.connector.linger(now: serveContext.now)
            bringForward(key)
        case .askForMetrics(let format): awaitMetrics(key, in: format)
        case .end(let reason): return end(key, because: reason)
        }
        if outcome.hasHalfClosed || outcome.awaitsHead { bringForward(key) }
        if outcome.isBlocked { watchOutput(key) }
        feedStarved()
    }

    /// Sees to it that an event tells when a session can write again.
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

    /// Ends a session and gives back all that it has.
    mutating func end(_ key: SlabKey, because reason: Session.EndReason) {
        guard var session = sessions.remove(key) else { return }
        schedule.timers.cancel(key.index)
        let isBroken =
            reason != .handedOff
            && (reason.isBreak || session.proxyState.connector.phase == .breaking
                || !session.toServer.isEmpty
                || !session.toClient.isEmpty)
        forgetOwnConnection(of: session)
        session.toServer.discard(in: &serveContext)
        session.toClient.discard(in: &serveContext)
        let listener = context.listeners[session.listener]
        let duration = (serveContext.now - session.openedAt) * 1_000
        tallies.note(session.listener) { tally in
            tally.active -= 1
            tally.sessionTime.add(microseconds: duration)
        }
        context.listenerCounters[session.listener].publish(
            tallies.listeners[session.listener].sessionTime
        )
        if context.sessionEvents.areWanted { announce(session, endedBecause: reason) }
        if context.logsSessions { logEnd(of: session, reason) }
        if session.isCountedBySource, let ip = session.peer?.ip { listener.sources?.leave(ip) }
        switch reason {
        case .malformedHeader, .timedOut(.proxyHeader), .notAdmitted:
            tallies.note(session.listener) { $0.denied += 1 }
        default: break
        }
        countRefusal(session, reason)
        // Whoever sees that it has gone is to see what it did as well.
        publish()
        let isListenerAwaited = listener.limiter.release()
        let isTotalAwaited = context.totalLimiter.release()
        release(&session.proxyState.connector)
        // The descriptors are free only once the session is gone, and others may need them.
        if isBroken, session.proxyState.connector.upstream != nil || session.awaitsHeader {
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

    /// Ends all sessions, at a stop.
    mutating func endAll() {
        for index in 0..<sessions.endIndex {
            if let key = sessions.key(at: index) { end(key, because: .stopped) }
        }
    }

    /// Lets the sessions that wait for a buffer try again, once there is one.
    private mutating func feedStarved() {
        guard !schedule.starved.isEmpty, serveContext.pool.hasRoom else { return }
        schedule.feedStarved(of: sessions)
    }

    /// Sets a session's timer, where its times have changed.
    mutating func bringForward(_ key: SlabKey) {
        guard let due = deadline(of: key) else { return }
        schedule.timers.schedule(key.index, at: due.millisecond)
    }

    /// When a session is to end if nothing happens, and why; `nil` if no time bounds it.
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
    /// Closes its connections; a function, because that is what ends a value's life early.
    fileprivate consuming func close() {
        guard let client = client.socket.release(), let server = proxyState.server.socket.release()
        else {
            return
        }
        OwnedFD.close(client, server)
    }

    /// Closes its connections so that both ends learn that something is missing.
    fileprivate consuming func breakOff() {
        client.socket.reset()
        proxyState.server.socket.reset()
    }
}
