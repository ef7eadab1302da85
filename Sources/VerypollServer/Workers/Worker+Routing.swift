internal import Logging
internal import SystemPackage
internal import Verypoll

extension Worker {
    /// How long a session pauses, in milliseconds, before it looks for a server again.
    private static let shortestPause: UInt64 = 50
    private static let longestPause: UInt64 = 1_000

    /// Looks for a server, goes on to the next one that may be reached, or holds the session.
    ///
    /// A connection to the machine itself is written to at once, as it is made by then if the
    /// server is there; with any other the session waits for the event, its client unread.
    mutating func route(_ key: SlabKey) {
        let upstream = context.upstreams[Int(sessions[key].route.upstream)]
        guard enter(upstream, key) else { return }
        while true {
            guard let address = nextAddress(of: upstream, key) else {
                guard chooseServer(of: upstream, key) else {
                    return pauseRouting(of: upstream, key)
                }
                continue
            }
            do throws(Errno) {
                return try connect(key, to: address, of: upstream)
            } catch {
                sessions[key].route.lastError = error.rawValue
                disconnect(key)
                // With a full backlog, it is as if the server did not answer.
                let isNext =
                    error == .resourceTemporarilyUnavailable
                    && hasAlternative(upstream, sessions[key].route)
                if error.isShortage, !isNext {
                    return pauseRouting(of: upstream, key, isBusy: true)
                }
            }
        }
    }

    /// Goes on after a connection could not be made.
    mutating func connectFailed(_ key: SlabKey, _ error: Errno) {
        sessions[key].route.lastError = error.rawValue
        disconnect(key)
        route(key)
    }

    /// Notes that the server has been reached.
    mutating func connectionMade(_ key: SlabKey) {
        sessions[key].route.phase = .connected
        sessions[key].route.nextAt = .max
        sessions[key].route.endsAt = .max
        sessions[key].route.tried = []
        let route = sessions[key].route
        let server = context.upstreams[Int(route.upstream)].servers[Int(route.server)]
        let connectTime = (MonotonicClock.nanoseconds() - route.attemptedAt) / 1_000
        server.counters.connectTime.add(microseconds: connectTime)
        report(server.connected(now: serveContext.now), of: route)
    }

    /// Lets the sessions that are held try again, the one that has waited longest first.
    mutating func retryHeld() {
        // Those that are held again meanwhile have had their turn.
        var fullUpstream: Int32?
        for _ in 0..<held.count {
            guard let key = held.popFirst() else { return }
            guard sessions.contains(key), sessions[key].route.phase == .held else { continue }
            let upstream = sessions[key].route.upstream
            if sessions[key].route.isQueued, upstream == fullUpstream {
                held.append(key)  // Behind one that found no room.
                continue
            }
            resumeRoute(key)
            let isQueued = sessions.contains(key) && sessions[key].route.isQueued
            if isQueued { fullUpstream = upstream }
        }
    }

    /// Lets a session that was held try again, with the whole time to connect.
    private mutating func resumeRoute(_ key: SlabKey) {
        if sessions[key].route.isEntered {
            let upstream = context.upstreams[Int(sessions[key].route.upstream)]
            sessions[key].route.endsAt = serveContext.now + upstream.connectTimeout
        }
        route(key)
    }

    /// Does what is due at the moment that a session's route has set.
    mutating func continueRoute(_ key: SlabKey) {
        switch sessions[key].route.phase {
        case .none: break
        case .connected: end(key, because: .serverDown)
        case .breaking: serve(key)
        case .connecting: connectFailed(key, .timedOut)
        case .held:
            if sessions[key].route.endsAt <= serveContext.now { return giveUp(key) }
            resumeRoute(key)
        }
    }

    // MARK: Steps

    /// Counts the session in, or puts it in the queue.
    private mutating func enter(_ upstream: Upstream, _ key: SlabKey) -> Bool {
        guard !sessions[key].route.isEntered else { return true }
        guard upstream.limiter.reserveOrAwait() else {
            if !sessions[key].route.isQueued {
                guard upstream.enterQueue() else {
                    end(key, because: .noServer(.queueFull))
                    return false
                }
                sessions[key].route.isQueued = true
                let patience = max(upstream.connectTimeout, upstream.retryFor)
                sessions[key].route.endsAt = serveContext.now + patience
            }
            sessions[key].route.nextAt = sessions[key].route.endsAt
            hold(key)
            return false
        }
        upstream.limiter.commit()
        sessions[key].route.isEntered = true
        if sessions[key].route.isQueued {
            upstream.leaveQueue()
            sessions[key].route.isQueued = false
        }
        sessions[key].route.endsAt = serveContext.now + upstream.connectTimeout
        sessions[key].route.beganAt = serveContext.now
        return true
    }

    /// The address to try next of the server that was chosen.
    private mutating func nextAddress(of upstream: Upstream, _ key: SlabKey) -> ServerAddress? {
        let server = Int(sessions[key].route.server)
        guard server >= 0, serveContext.now < sessions[key].route.endsAt else { return nil }
        let addresses = upstream.servers[server].addresses
        let index = Int(sessions[key].route.address)
        guard index < addresses.count else { return nil }
        sessions[key].route.address += 1
        return addresses[index]
    }

    /// Gives up the present server, if there is one, and chooses the next.
    private mutating func chooseServer(of upstream: Upstream, _ key: SlabKey) -> Bool {
        let present = sessions[key].route.server
        if present >= 0 {
            let server = upstream.servers[Int(present)]
            server.leave()
            report(server.failed(now: serveContext.now), of: sessions[key].route)
            sessions[key].route.tried.append(Int(present))
            sessions[key].route.server = -1
        }
        guard serveContext.now < sessions[key].route.endsAt else { return false }
        let route = sessions[key].route
        let source = sessions[key].peer?.ip
        guard
            let server = upstream.pick(
                source: source,
                excluding: route.tried,
                now: serveContext.now
            )
        else { return false }
        sessions[key].route.server = Int32(server)
        sessions[key].route.address = 0
        return true
    }

    /// Begins to connect, and if that takes no time goes on at once.
    private mutating func connect(
        _ key: SlabKey,
        to address: ServerAddress,
        of upstream: Upstream
    ) throws(Errno) {
        let server = upstream.servers[Int(sessions[key].route.server)]
        let begun = try address.connect(
            options: context.listeners[sessions[key].listener],
            isProven: server.isProven,
            mayMeetItself: server.mayMeetItself
        )
        noteOwnConnection(begun.socket, to: address, key)
        let isAtOnce = begun.isAtOnce
        sessions[key].server = Endpoint(begun.socket, flags: isAtOnce ? .outputReady : [])
        sessions[key].route.phase = .connecting
        sessions[key].route.attemptedAt = MonotonicClock.nanoseconds()
        if sessions[key].toServer.isEmpty { sessions[key].route.owedHeader = upstream.proxyHeader }
        if address.isConnectedAtOnce { connectionMade(key) }
        guard isAtOnce, sessions[key].hasWorkForServer else {
            let isConnecting = sessions[key].route.phase == .connecting
            try watchServer(key, forOutput: isConnecting)
            return isConnecting ? limitAttempt(key, of: upstream) : ()
        }
        let step = work(key)
        let isMade = sessions[key].route.phase != .connecting
        if case .end(.serverFailed(let error)) = step, !isMade { throw error }
        do throws(Errno) {
            // Where nothing was written, it takes an event to tell that the connection is made.
            try watchServer(key, forOutput: !isMade)
        } catch {
            guard isMade else { throw error }
            return end(key, because: .serverFailed(error))
        }
        settle(key, step)
        if !isMade, sessions.contains(key) { limitAttempt(key, of: upstream) }
    }

    private mutating func watchServer(_ key: SlabKey, forOutput: Bool) throws(Errno) {
        try sessions[key].server.register(
            with: poll.registry,
            token: Tokens.server(key),
            forOutput: forOutput
        )
    }

    /// Gives the present attempt its time.
    private mutating func limitAttempt(_ key: SlabKey, of upstream: Upstream) {
        let left = sessions[key].route.endsAt - serveContext.now
        let attempt = hasAlternative(upstream, sessions[key].route) ? max(left / 2, 1) : left
        sessions[key].route.nextAt = serveContext.now + attempt
        bringForward(key)
    }

    /// Whether there is anything left to try, for which some of the time is to be kept.
    private mutating func hasAlternative(_ upstream: Upstream, _ route: Route) -> Bool {
        let server = upstream.servers[Int(route.server)]
        return Int(route.address) < server.addresses.count
            || upstream.servers.count > route.tried.count + 1
    }

    /// Holds the session for a while where that is of use, or ends it.
    private mutating func pauseRouting(
        of upstream: Upstream,
        _ key: SlabKey,
        isBusy: Bool = false
    ) {
        let began = sessions[key].route.beganAt
        var patience = upstream.retryFor
        if isBusy || upstream.awaitsNames { patience = max(patience, upstream.connectTimeout) }
        let end = began + patience
        guard serveContext.now < end else { return giveUp(key) }
        if isBusy {
            // The server is there, so it is tried again, from its first address on.
            sessions[key].route.address = 0
        } else {
            sessions[key].route.tried = []
        }
        // The longer it has waited, the longer it pauses.
        let pause = max(Self.shortestPause, min((serveContext.now - began) / 4, Self.longestPause))
        sessions[key].route.nextAt = min(serveContext.now + pause, end)
        sessions[key].route.endsAt = end
        hold(key)
    }

    private mutating func hold(_ key: SlabKey) {
        sessions[key].route.phase = .held
        held.append(key)
        bringForward(key)
    }

    private mutating func giveUp(_ key: SlabKey) {
        let route = sessions[key].route
        if route.isQueued { return end(key, because: .noServer(.queueTimeout)) }
        let error = Errno(rawValue: route.lastError)
        end(key, because: .noServer(route.lastError == 0 ? .down : .unreachable(error)))
    }

    private mutating func report(_ change: ServerChange?, of route: Route) {
        guard let change else { return }
        let message = WorkerReport.serverChanged(
            upstream: Int(route.upstream),
            server: Int(route.server),
            change,
            timestamp: WallClock.microseconds()
        )
        context.supervisor.post(message)
    }
}

extension Errno {
    /// Whether connecting fails for want of something that says nothing about the server.
    ///
    /// That is descriptors, memory or ports here, or room in the backlog of a Unix-domain socket,
    /// of which no event will tell. See connect(2) and unix(7).
    fileprivate var isShortage: Bool {
        switch self {
        case .resourceTemporarilyUnavailable, .addressNotAvailable: true
        default: AcceptFailure(self) == .resources
        }
    }
}
