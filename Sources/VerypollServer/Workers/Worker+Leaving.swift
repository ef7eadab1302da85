internal import Verypoll
internal import VerypollConfiguration

extension Worker {
    /// Drops the connection to a server that could not be reached; the bytes for it are kept.
    mutating func disconnect(_ key: SlabKey) {
        forgetOwnConnection(of: sessions[key])
        sessions[key].isOwnConnection = false
        sessions[key].server = Endpoint(.none)
        sessions[key].brokenBy = 0
    }

    /// Takes leave of the server and the upstream, at the end of a session.
    mutating func leave(_ route: Route) {
        guard route.upstream >= 0 else { return }
        let upstream = context.upstreams[Int(route.upstream)]
        if route.server >= 0 { upstream.servers[Int(route.server)].leave() }
        if route.isQueued { upstream.leaveQueue() }
        if route.isEntered {
            if upstream.limiter.release() { tellOfRoom() }
        }
    }

    /// Counts the end of a session that got no server, if that is why it ends.
    mutating func countRefusal(_ route: Route, _ reason: Session.EndReason) {
        guard route.upstream >= 0, let refusal = UpstreamRefusal(reason, in: route.phase) else {
            return
        }
        context.upstreams[Int(route.upstream)].refusals.add(refusal)
    }

    /// Gives the sessions of a server that is down what the upstream's configuration says.
    package mutating func leave(_ server: Int, of upstream: Int) {
        let policy = context.upstreams[upstream].whenDown
        guard policy != .keep else { return }
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index) else { continue }
            let route = sessions[key].route
            guard route.upstream == Int32(upstream), route.server == Int32(server),
                route.phase == .connected
            else { continue }
            if policy == .close {
                end(key, because: .serverDown)
            } else {
                sessions[key].route.nextAt = min(
                    route.nextAt,
                    serveContext.now + context.drainDeadline
                )
                bringForward(key)
            }
        }
    }
}
