internal import Verypoll
internal import VerypollConfiguration

// Counts new connections to servers, and applies `whenDown` when a server goes down or is up again.
// For the rules, see the comment at the top of `Connector`.

extension Worker {
    /// Notes that the server has been reached.
    ///
    /// - Returns: Whether the session continues; otherwise it has ended. See
    ///   ``reportConnected(_:)``.
    mutating func connectionMade(_ key: SlabKey) -> Bool {
        sessions[key].proxyState.connector.succeed()
        guard reportConnected(key) else {
            end(key, because: .serverDown)
            return false
        }
        return true
    }

    /// Counts a connection that was made.
    ///
    /// - Returns: Whether the session continues; otherwise the caller must end it. If its server
    ///   went down during the attempt and is still down, the upstream's `whenDown` applies now.
    mutating func reportConnected(_ key: SlabKey) -> Bool {
        guard let slot = sessions[key].proxyState.connector.upstream,
            let index = sessions[key].proxyState.connector.server
        else { return true }
        let server = context.upstreams[slot].servers[index]
        let attemptedAt = sessions[key].proxyState.connector.attemptedAt
        let connectTime = (MonotonicClock.nanoseconds() - attemptedAt) / 1_000
        server.counters.connectTime.add(microseconds: connectTime)
        sessions[key].proxyState.connectTime = UInt32(clamping: max(connectTime, 1))
        report(server.connected(now: serveContext.now), of: server)
        guard sessions[key].proxyState.connector.isServerDown, server.isOutOfService else {
            return true
        }
        return outlivesServer(key, of: slot)
    }

    /// Applies the upstreams' `whenDown` to the sessions of servers that went down.
    ///
    /// Sessions that are still connecting choose another server if there is one.
    mutating func applyWhenDown(of servers: Set<ServerIndex>) {
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index), let server = server(of: key),
                servers.contains(server), context.upstreams[server].isOutOfService
            else { continue }
            if sessions[key].proxyState.connector.phase != .connected {
                connect(key, .serverDown)
            } else if !outlivesServer(key, of: server.upstream) {
                end(key, because: .serverDown)
            }
        }
    }

    /// Removes the deadlines that `whenDown` set for the sessions of servers that are up again.
    mutating func withdrawWhenDown(of servers: Set<ServerIndex>) {
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index), let server = server(of: key),
                servers.contains(server), !context.upstreams[server].isOutOfService
            else { continue }
            sessions[key].proxyState.connector.serverCameUp()
        }
    }

    private mutating func server(of key: SlabKey) -> ServerIndex? {
        guard let upstream = sessions[key].proxyState.connector.upstream,
            let server = sessions[key].proxyState.connector.server
        else { return nil }
        return ServerIndex(upstream: upstream, server: server)
    }

    /// Applies `whenDown` to a connected session whose server is down: keeps the session, sets its
    /// deadline, or has the caller end it.
    ///
    /// - Returns: Whether the session continues for now.
    private mutating func outlivesServer(_ key: SlabKey, of upstream: Int) -> Bool {
        let deadline: UInt64?
        switch context.upstreams[upstream].whenDown {
        case .keep: return true
        case .drain: deadline = serveContext.now + context.drainDeadline
        case .close: deadline = nil
        }
        switch sessions[key].proxyState.connector.serverWentDown(deadline: deadline) {
        case .endForServer: return false
        case .wait: setTimer(key)
        default: break
        }
        return true
    }
}
