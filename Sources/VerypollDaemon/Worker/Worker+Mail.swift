#if Net && OSExt
internal import SystemPackage
internal import Verypoll
internal import VerypollControl

extension Worker {
    /// Does what the mailbox says.
    mutating func handleMail() {
        for message in mailbox.takeAll() {
            switch message {
            case .ping: context.supervisor.post(.pong(worker: context.index))
            case .resume: resume()
            case .drain: drain()
            case .end: endWork()
            case .listSessions(let filter, let ticket): list(filter, ticket: ticket)
            case .killSession(let id, let ticket): kill(id, ticket: ticket)
            case .serversChanged: retryHeld()
            case .serverDown(let upstream, let server): leave(server, of: upstream)
            case .metrics(let text, let format): answer(with: text, in: format)
            }
        }
    }

    private mutating func resume() {
        retryHeld()
        reopenDoors(.forSessions)
    }

    private mutating func drain() {
        closeDoors()
        endIdleMetrics()
        isDraining = true
        if sessions.count == 0 { context.supervisor.post(.empty) }
    }

    private mutating func endWork() {
        isDraining = true
        isEnding = true
        closeDoors()
        endAll()
        context.supervisor.post(.ended)
    }

    private mutating func kill(_ id: UInt64, ticket: Int) {
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index), sessions[key].id == id else { continue }
            end(key, because: .killed)
            context.supervisor.post(.killed(true, ticket: ticket))
            return
        }
        context.supervisor.post(.killed(false, ticket: ticket))
    }

    private func list(_ filter: SessionFilter, ticket: Int) {
        var found: [(id: UInt64, key: SlabKey)] = []
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index) else { continue }
            if let listener = filter.listener, sessions[key].listener != listener { continue }
            if let peer = filter.peer, !sessions[key].hasPeer(peer) { continue }
            found.append((sessions[key].id, key))
        }
        // The oldest first; a slot's place says nothing about the age of who is in it.
        found.sort { $0.id < $1.id }
        let listed = found.prefix(filter.limit).map { status(of: sessions[$0.key]) }
        let isTruncated = listed.count < found.count
        context.supervisor.post(.sessions(listed, isTruncated: isTruncated, ticket: ticket))
    }

    private func status(of session: borrowing Session) -> Status.Session {
        let age = Int(bench.now - session.openedAt) * 1000
        return Status.Session(
            id: Int(session.id),
            listener: context.listeners[session.listener].name,
            worker: context.index,
            peer: session.peerDescription,
            local: session.localDescription,
            state: session.isHalfClosed ? .halfClosed : .open,
            openedTimestampUSec: WallClock.microseconds() - age,
            idleUSec: Int(bench.now - session.activeAt) * 1000,
            bytesIn: Int(session.bytesIn),
            bytesOut: Int(session.bytesOut),
            buffered: session.bufferedByteCount
        )
    }
}

extension Session {
    /// The bytes that wait for the client to take them.
    fileprivate var bufferedByteCount: Int { down.bufferedByteCount }

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
#endif
