internal import Verypoll
internal import VerypollConfiguration

// The calls of the control socket about sessions.

/// A search for sessions to end, which takes several turns of the worker.
struct KillSweep {
    /// The most slots that a turn examines.
    static let slotsPerTurn = 4_096
    /// The most sessions that a turn ends.
    static let endsPerTurn = 64

    let filter: SessionFilter
    let callID: Int
    /// Sessions with this ID or a later one were accepted after the call.
    let firstLaterID: UInt64
    /// The slot to examine next.
    var index = 0
    /// The number of sessions that were ended.
    var count = 0
}

extension Worker {
    /// Finds the session with an ID.
    private func session(_ id: UInt64) -> SlabKey? {
        for index in 0..<sessions.endIndex {
            if let key = sessions.key(at: index), sessions[key].id == id { return key }
        }
        return nil
    }

    mutating func show(_ id: UInt64, callID: Int) {
        let shown = session(id).map { snapshot(of: sessions[$0]) }
        context.supervisor.post(.session(shown, callID: callID))
    }

    mutating func kill(_ id: UInt64, callID: Int) {
        let found = session(id)
        let killed = found.map { snapshot(of: sessions[$0]) }
        if let found { end(found, because: .killed) }
        context.supervisor.post(.killed(killed, callID: callID))
    }

    mutating func list(_ filter: SessionFilter, callID: Int) {
        var found: [(id: UInt64, key: SlabKey)] = []
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index), matches(sessions[key], filter) else {
                continue
            }
            found.append((sessions[key].id, key))
        }
        // The oldest first; the order of the slots says nothing about age.
        found.sort { $0.id < $1.id }
        let listed = found.prefix(filter.limit).map { snapshot(of: sessions[$0.key]) }
        let isTruncated = listed.count < found.count
        context.supervisor.post(.sessions(listed, isTruncated: isTruncated, callID: callID))
    }

    // MARK: Ending many sessions

    /// Begins to end the sessions that match a filter; sessions that are accepted later stay.
    mutating func beginSweep(_ filter: SessionFilter, callID: Int) {
        sweeps.append(
            KillSweep(filter: filter, callID: callID, firstLaterID: nextSessionID)
        )
    }

    /// Continues the oldest search for sessions to end, by a bounded amount of work.
    mutating func sweep() {
        guard var sweep = sweeps.first else { return }
        let end = min(sweep.index + KillSweep.slotsPerTurn, sessions.endIndex)
        var left = KillSweep.endsPerTurn
        while sweep.index < end, left > 0 {
            defer { sweep.index += 1 }
            guard let key = sessions.key(at: sweep.index), sessions[key].id < sweep.firstLaterID,
                matches(sessions[key], sweep.filter)
            else { continue }
            self.end(key, because: .killed)
            left -= 1
            sweep.count += 1
        }
        guard sweep.index >= sessions.endIndex else { return sweeps[0] = sweep }
        sweeps.removeFirst()
        context.supervisor.post(.killedSessions(sweep.count, callID: sweep.callID))
    }

    /// Returns whether a session meets all criteria of a filter.
    private func matches(_ session: borrowing Session, _ filter: SessionFilter) -> Bool {
        if let slots = filter.listeners, !slots.contains(session.listener) { return false }
        if filter.upstream != nil || filter.server != nil {
            guard let upstream = upstream(of: session) else { return false }
            if let name = filter.upstream, upstream.name != name { return false }
            if let name = filter.server {
                let server = session.proxyState.connector.server
                guard server.map({ upstream.servers[$0].name == name }) == true else {
                    return false
                }
            }
        }
        if let peer = filter.peer, !session.hasPeer(peer) { return false }
        guard let pattern = filter.serverName else { return true }
        return pattern.matches(session.announced?.serverName ?? [])
    }
}

extension Session {
    /// Returns whether the client matches a pattern.
    fileprivate func hasPeer(_ pattern: PeerPattern) -> Bool {
        if let peer { return pattern.matches(peer) }
        if let vsockPeer { return pattern.matches(vsockPeer) }
        guard case .description(let wanted) = pattern else { return false }
        return peerDescription == wanted
    }
}
