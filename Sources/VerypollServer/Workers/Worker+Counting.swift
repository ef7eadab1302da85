internal import SystemPackage
internal import Verypoll

// Counting the errors of servers, and the refusals of upstreams.

extension Worker {
    /// Counts a refusal if the session ended because it got no server.
    mutating func countRefusal(_ session: borrowing Session, _ reason: Session.EndReason) {
        guard let upstream = session.proxyState.connector.upstream,
            let refusal = UpstreamRefusal(
                reason,
                isSearching: session.proxyState.connector.isSearching
            )
        else { return }
        context.upstreams[upstream].refusals.add(refusal)
    }

    /// Counts a failed attempt to connect if the event is one.
    mutating func countFailure(
        _ event: Connector.Event,
        of key: SlabKey,
        _ upstream: Upstream
    ) {
        let error: Errno
        switch event {
        case .attemptFailed(let failure): error = failure
        case .timerFired where sessions[key].proxyState.connector.phase == .connecting:
            error = .timedOut
        default: return
        }
        guard let server = sessions[key].proxyState.connector.server else { return }
        upstream.servers[server].counters.errors.add(ServerErrorKind(connecting: error))
    }

    /// Counts the failure of a server's connection if that has ended the session.
    mutating func countServerError(_ session: borrowing Session, _ reason: Session.EndReason) {
        let kind: ServerErrorKind
        switch reason {
        case .serverFailed(let error): kind = ServerErrorKind(connected: error)
        case .serverHasNoTLS, .invalidAnswer: kind = .noTLS
        default: return
        }
        guard let upstream = session.proxyState.connector.upstream,
            let server = session.proxyState.connector.server
        else { return }
        context.upstreams[upstream].servers[server].counters.errors.add(kind)
    }
}
