internal import Logging
internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

// The worker's part of connecting: it performs the actions that a session's connector returns. The
// calls cannot recurse endlessly: `serve` may call `connect`, which may call `work` and `settle`,
// and these call neither `serve` nor `connect`.

extension Worker {
    /// Hands an event to a session's connector and performs its actions, until the session waits
    /// for another event or has ended.
    mutating func connect(_ key: SlabKey, _ event: Connector.Event) {
        guard let slot = sessions[key].proxyState.connector.upstream else { return }
        let upstream = context.upstreams[slot]
        var facts = Connector.Facts(upstream, now: serveContext.now)
        var addresses: [ServerAddress] = []
        if let server = sessions[key].proxyState.connector.server {
            addresses = look(at: server, of: upstream, key, &facts)
        }
        var event = event
        while true {
            countFailure(event, of: key, upstream)
            switch sessions[key].proxyState.connector.handle(event, facts) {
            case .reservePlace: event = reservePlace(in: upstream)
            case .enterQueue: event = enterQueue(of: upstream, key)
            case .leaveQueue:
                Self.leaveQueue(of: upstream, &sessions[key].proxyState, facts.now)
                event = .queueLeft
            case .chooseServer:
                switch chooseServer(of: upstream, key) {
                case .server(let server):
                    addresses = look(at: server, of: upstream, key, &facts)
                    event = .serverChosen(server)
                case .full: event = .serversFull
                case .none: event = .noServer(awaitsNames: upstream.awaitsNames)
                }
            case .connect(let server, let address):
                sessions[key].proxyState.effort.noteAttempt()
                upstream.counters.noteAttempt(sessions[key].proxyState.effort)
                let server = upstream.servers[server]
                do throws(Errno) {
                    return try attempt(key, server, addresses[address], facts)
                } catch {
                    event = .attemptFailed(error)
                }
            case .closeAttempt:
                closeAttempt(key)
                event = .attemptClosed
            case .giveUpServer(let server):
                leave(upstream.servers[server])
                report(
                    upstream.servers[server].failed(now: serveContext.now),
                    of: upstream.servers[server]
                )
                event = .serverLeft
            case .leaveServer(let server):
                leave(upstream.servers[server])
                event = .serverLeft
            case .hold:
                schedule.held.append(key)
                return setTimer(key)
            case .wait: return setTimer(key)
            case .giveUp(let reason): return end(key, because: .noServer(reason))
            case .endForServer: return end(key, because: .serverDown)
            case .releasePlace, .nothing: return
            }
        }
    }

    /// Retries the held sessions, the one that has waited longest first.
    mutating func retryHeld() {
        // Sessions that are held again during this loop have had their turn.
        var full = FullUpstreams()
        for _ in 0..<schedule.held.count {
            guard let key = schedule.held.popFirst() else { return }
            guard sessions.contains(key), sessions[key].proxyState.connector.isHeld else {
                continue
            }
            if full.includes(sessions[key].proxyState.connector) {
                schedule.held.append(key)  // An earlier session of the queue found no room.
                continue
            }
            connect(key, .retry)
            if sessions.contains(key) { full.note(sessions[key].proxyState.connector) }
        }
    }

    /// Handles the timer that a session's connector has set.
    mutating func connectorTimerFired(_ key: SlabKey) {
        if sessions[key].proxyState.connector.phase == .breaking {
            serve(key)
        } else {
            connect(key, .timerFired)
        }
    }

    /// Returns everything that the connector of an ended session still holds to the upstream.
    mutating func release(_ state: inout ProxyState) {
        guard let slot = state.connector.upstream else { return }
        let upstream = context.upstreams[slot]
        let facts = Connector.Facts(upstream, now: serveContext.now)
        var event = Connector.Event.ended
        while true {
            switch state.connector.handle(event, facts) {
            case .leaveServer(let server):
                leave(upstream.servers[server])
                event = .serverLeft
            case .leaveQueue:
                Self.leaveQueue(of: upstream, &state, facts.now)
                event = .queueLeft
            case .releasePlace:
                if upstream.limiter.release() { tellOfRoom() }
                event = .placeReleased
            default: return
            }
        }
    }

    // MARK: Actions

    private mutating func reservePlace(in upstream: Upstream) -> Connector.Event {
        guard upstream.limiter.reserveOrAwait() else { return .upstreamFull }
        upstream.limiter.commit()
        return .placeReserved
    }

    private mutating func enterQueue(of upstream: Upstream, _ key: SlabKey) -> Connector.Event {
        guard upstream.enterQueue() else { return .queueFull }
        sessions[key].proxyState.effort.enterQueue(now: serveContext.now)
        return .queueEntered
    }

    private static func leaveQueue(
        of upstream: Upstream,
        _ state: inout ProxyState,
        _ now: UInt64
    ) {
        upstream.leaveQueue()
        upstream.counters.queueWait.add(microseconds: state.effort.leaveQueue(now: now) * 1_000)
    }

    /// Adds what is known about a server to `facts`, and returns the server's addresses.
    private mutating func look(
        at server: Int,
        of upstream: Upstream,
        _ key: SlabKey,
        _ facts: inout Connector.Facts
    ) -> [ServerAddress] {
        let addresses = upstream.servers[server].addresses
        facts.add(
            server,
            of: upstream,
            addressCount: addresses.count,
            tried: sessions[key].proxyState.connector.tried
        )
        return addresses
    }

    /// Ends the session's use of a server, and notifies the workers if a session waits for it.
    private mutating func leave(_ server: UpstreamServer) {
        if server.leave() { tellOfRoom() }
    }

    private mutating func chooseServer(of upstream: Upstream, _ key: SlabKey) -> ServerChoice {
        upstream.pick(
            key: sessions[key].hashKey(for: upstream.hashKey),
            excluding: sessions[key].proxyState.connector.tried,
            now: serveContext.now
        )
    }

    /// Begins to connect, and serves the session if the connection is made at once.
    ///
    /// The session writes at once to a Unix-domain connection, and to a server on this machine that
    /// accepted the last connection. Otherwise the session waits for the event, and its client is
    /// not read.
    private mutating func attempt(
        _ key: SlabKey,
        _ server: UpstreamServer,
        _ address: ServerAddress,
        _ facts: Connector.Facts
    ) throws(Errno) {
        let begun = try address.connect(
            options: context.listeners[sessions[key].listener],
            isProven: server.isProven,
            mayMeetItself: server.mayMeetItself
        )
        noteOwnConnection(begun.socket, to: address, key)
        let isAtOnce = begun.isAtOnce
        sessions[key].proxyState.server = Endpoint(
            begun.socket,
            flags: isAtOnce ? .outputReady : []
        )
        let began = Connector.Event.attemptBegan(nanosecond: MonotonicClock.nanoseconds())
        _ = sessions[key].proxyState.connector.handle(began, facts)
        oweHeader(key)
        let isAsked = sessions[key].proxyState.request != .none
        if address.isConnectedAtOnce, !isAsked, !connectionMade(key) { return }
        guard isAtOnce, sessions[key].hasWorkForServer else {
            let isConnecting = sessions[key].proxyState.connector.phase == .connecting
            try watchServer(key, forOutput: isConnecting)
            return isConnecting ? setTimer(key) : ()
        }
        let outcome = work(key)
        let isMade = sessions[key].proxyState.connector.phase != .connecting
        if case .end(.serverFailed(let error)) = outcome.step, !isMade { throw error }
        do throws(Errno) {
            // If nothing was written, an event must report that the connection is made.
            try watchServer(key, forOutput: !isMade)
        } catch {
            guard isMade else { throw error }
            return end(key, because: .serverFailed(error))
        }
        settle(key, outcome)
        if !isMade, sessions.contains(key) { setTimer(key) }
    }

    /// Makes a new connection begin with the PROXY header.
    ///
    /// A server that failed before may have received the header, but none of the bytes after it.
    private mutating func oweHeader(_ key: SlabKey) {
        if sessions[key].proxyState.asksForTLS {
            // Until a server has answered, nothing but the header and the request waits for it.
            sessions[key].toServer.releaseBuffers(in: &serveContext)
            sessions[key].proxyState.request = .owed
        }
        guard sessions[key].toServer.isEmpty,
            let upstream = sessions[key].proxyState.connector.upstream
        else {
            return
        }
        sessions[key].proxyState.owedHeader = context.upstreams[upstream].proxyHeader
    }

    private mutating func watchServer(_ key: SlabKey, forOutput: Bool) throws(Errno) {
        try sessions[key].proxyState.server.register(
            with: poll.registry,
            token: Tokens.server(key),
            forOutput: forOutput
        )
    }

    /// Closes the connection to a server that could not be reached, and keeps the bytes for it.
    private mutating func closeAttempt(_ key: SlabKey) {
        forgetOwnConnection(of: sessions[key])
        sessions[key].proxyState.isOwnConnection = false
        sessions[key].proxyState.server = Endpoint(.none)
        sessions[key].proxyState.brokenBy = 0
    }

    mutating func report(_ change: ServerChange?, of server: UpstreamServer) {
        guard let change else { return }
        let timestamp = WallClock.microseconds()
        context.supervisor.post(.serverChanged(server, change, timestamp: timestamp))
    }
}
