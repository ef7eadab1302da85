internal import SystemPackage
internal import Verypoll

extension Worker {
    /// Whether a client may be served, and is counted among those of its source.
    enum Admission {
        case admitted(isCounted: Bool)
        /// Its PROXY header is to tell first whom it speaks for.
        case awaitsHeader
        case refused
    }

    /// Judges a connection by where it comes from; Unix-domain clients are all admitted.
    mutating func admission(of peer: SocketAddress?, to listener: Listener) -> Admission {
        guard let peer else { return .admitted(isCounted: false) }
        if hops(from: peer) >= OwnConnections.limit {
            logCircle(through: listener)
            return .refused
        }
        let ip = peer.ip
        if listener.headerSources?.admits(ip) == true { return .awaitsHeader }
        return admission(of: ip, to: listener)
    }

    private mutating func admission(of ip: IPAddress, to listener: Listener) -> Admission {
        if listener.rules?.admits(ip) == false { return .refused }
        guard let sources = listener.sources else { return .admitted(isCounted: false) }
        return sources.enter(ip) ? .admitted(isCounted: true) : .refused
    }

    /// Reads the PROXY header that a session begins with.
    ///
    /// - Returns: Whether the header is complete and its source is admitted.
    mutating func readHeader(_ key: SlabKey) -> Bool {
        let listener = context.listeners[sessions[key].listener]
        switch sessions[key].readHeader(in: &serveContext) {
        case .incomplete: return false
        case .again:
            ready.append(key)
            return false
        case .end(let reason):
            end(key, because: reason)
            return false
        case .complete: break
        }
        guard let ip = sessions[key].peer?.ip else { return true }
        guard case .admitted(let isCounted) = admission(of: ip, to: listener) else {
            end(key, because: .notAdmitted)
            return false
        }
        sessions[key].awaitsHeader = false
        sessions[key].isCountedBySource = isCounted
        sessions[key].activeAt = serveContext.now
        bringForward(key)
        return true
    }
}
