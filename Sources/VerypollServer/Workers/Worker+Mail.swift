internal import SystemPackage
internal import Verypoll

extension Worker {
    /// Does what the mailbox says.
    package mutating func handleMail() {
        for message in mailbox.takeAll() {
            switch message {
            case .begin(let snapshot, let share): begin(snapshot, share)
            case .ping: context.supervisor.post(.pong(worker: context.index))
            case .resume: resume()
            case .adopt(let snapshot): adopt(snapshot)
            case .drain(let window): drain(window)
            case .stopAccepting: stopAccepting()
            case .handoff: handoff()
            case .end: endWork()
            case .listSessions(let filter, let callID): list(filter, callID: callID)
            case .showSession(let id, let callID): show(id, callID: callID)
            case .killSession(let id, let callID): kill(id, callID: callID)
            case .serversChanged: retryHeld()
            case .serverDown(let upstream, let server): leave(server, of: upstream)
            case .metrics(let text, let format): answer(with: text, in: format)
            }
        }
    }

    private mutating func resume() {
        retryHeld()
        reopenAcceptors(.forSessions)
    }

    private mutating func drain(_ window: DrainWindow) {
        closeAcceptors()
        endIdleMetrics()
        isDraining = true
        drains.all = window
        hasten()
        if sessions.count == 0 { context.supervisor.post(.empty) }
    }

    private mutating func endWork() {
        isDraining = true
        isEnding = true
        closeAcceptors()
        endAll()
        context.supervisor.post(.ended)
    }

    /// Finds the session with that number.
    private func session(_ id: UInt64) -> SlabKey? {
        for index in 0..<sessions.endIndex {
            if let key = sessions.key(at: index), sessions[key].id == id { return key }
        }
        return nil
    }

    private func show(_ id: UInt64, callID: Int) {
        let shown = session(id).map { snapshot(of: sessions[$0]) }
        context.supervisor.post(.session(shown, callID: callID))
    }

    private mutating func kill(_ id: UInt64, callID: Int) {
        let found = session(id)
        if let found { end(found, because: .killed) }
        context.supervisor.post(.killed(found != nil, callID: callID))
    }

    private func list(_ filter: SessionFilter, callID: Int) {
        var found: [(id: UInt64, key: SlabKey)] = []
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index) else { continue }
            if let slots = filter.listeners, !slots.contains(sessions[key].listener) { continue }
            if let upstream = filter.upstream {
                guard self.upstream(of: sessions[key])?.name == upstream else { continue }
            }
            if let peer = filter.peer, !sessions[key].hasPeer(peer) { continue }
            found.append((sessions[key].id, key))
        }
        // The oldest first; a slot's place says nothing about the age of who is in it.
        found.sort { $0.id < $1.id }
        let listed = found.prefix(filter.limit).map { snapshot(of: sessions[$0.key]) }
        let isTruncated = listed.count < found.count
        context.supervisor.post(.sessions(listed, isTruncated: isTruncated, callID: callID))
    }

    /// The upstream that a session is proxied to; `nil` if it is not proxied.
    func upstream(of session: borrowing Session) -> Upstream? {
        session.connector.upstream.map { context.upstreams[$0] }
    }

    /// A session as operators see it.
    func snapshot(of session: borrowing Session) -> SessionSnapshot {
        let upstream = upstream(of: session)
        let age = Int(serveContext.now - session.openedAt) * 1000
        return SessionSnapshot(
            id: session.id,
            listener: context.listeners[session.listener].name,
            worker: context.index,
            peer: session.peerDescription,
            local: session.localDescription,
            upstream: upstream?.name,
            server: upstream.flatMap { upstream in
                session.connector.server.map { upstream.servers[$0].name }
            },
            isHalfClosed: session.isHalfClosed,
            openedTimestamp: WallClock.microseconds() - age,
            idleMicroseconds: Int(serveContext.now - session.activeAt) * 1000,
            bytesIn: session.bytesIn,
            bytesOut: session.bytesOut,
            bufferedByteCount: session.bufferedByteCount
        )
    }
}

extension Session {
    /// The bytes that wait for the client to take them.
    fileprivate var bufferedByteCount: Int { toClient.bufferedByteCount }

    /// The address that the client has connected to, for people.
    fileprivate var localDescription: String? {
        destination?.description ?? client.socket.localDescription
    }

    /// Whether it is with a client: an address, an address and a port, or what it is called.
    fileprivate func hasPeer(_ wanted: String) -> Bool {
        if peerDescription == wanted { return true }
        guard let peer else { return false }
        // Of [::1]:80, both ::1 and [::1] are the address without its port.
        let address = IPAddress(wanted) ?? SocketAddress(wanted + ":0")?.ip
        return address?.unmapped == peer.ip.unmapped
    }
}
