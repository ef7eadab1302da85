internal import Synchronization
internal import SystemPackage
internal import Verypoll

extension Worker {
    /// How long a restored session has at least before a timeout ends it, in milliseconds.
    private static let grace: UInt64 = 1_000

    /// Begins to work, once all workers are there and nothing can keep the daemon from starting.
    package mutating func begin(_ snapshot: WorkerSnapshot, _ share: SessionShare) {
        guard !isDraining else { return }
        restore(share)
        arrangeAcceptors(
            snapshot.acceptors.filter { ($0.socket.worker ?? context.index) == context.index }
        )
        context.supervisor.post(.started)
    }

    /// Goes on with the sessions of the process before, where they stood.
    mutating func restore(_ share: SessionShare) {
        var outcome = RestoreOutcome()
        for session in share.sessions {
            var descriptors = DescriptorList(session.descriptors)
            let kinds = session.descriptors.map(DescriptorKind.init)
            let isAsDescribed = session.record.describes(kinds)
            let refusal =
                isAsDescribed ? restore(session.record, &descriptors) : Refusal.descriptors
            if let refusal {
                outcome.refuse(session.record.id, because: refusal)
                descriptors.reset()
            } else {
                outcome.restoredCount += 1
            }
        }
        // The numbers of one worker differ by the number of workers; none is given twice.
        while nextSessionID < share.nextSessionID {
            let behind = share.nextSessionID - nextSessionID
            let step = UInt64(context.workerCount)
            nextSessionID += (behind + step - 1) / step * step
        }
        publish()
        context.supervisor.post(.restored(outcome))
    }

    /// Goes on with a session.
    ///
    /// - Returns: Why not; what is left of its descriptors is to be broken off then.
    private mutating func restore(
        _ record: SessionRecord,
        _ descriptors: inout DescriptorList
    ) -> Refusal? {
        guard let listener = context.listeners.firstIndex(where: { $0.name == record.listener })
        else { return .listener }
        guard context.listeners[listener].service.rawValue == record.service,
            (context.listeners[listener].upstream == nil) == (record.route == nil)
        else { return .handler }
        var place: (upstream: Int, server: Int)?
        if let route = record.route {
            place = self.place(of: route)
            if place == nil { return .upstream }
        }
        guard context.totalLimiter.tryReserve() else { return .full }
        do throws(Errno) {
            let session = try session(record, listener, upstream: place?.upstream, &descriptors)
            guard case .stored(let key) = sessions.insert(session) else {
                preconditionFailure("slab capacity overflow")
            }
            settleIn(key, record, server: place?.server ?? -1)
            return nil
        } catch {
            if context.totalLimiter.cancel() { tellOfRoom() }
            return .resources
        }
    }

    /// The upstream and the server of a route; the server is -1 while none is reached.
    private func place(of route: SessionRecord.Route) -> (upstream: Int, server: Int)? {
        guard let upstream = context.upstreams.firstIndex(where: { $0.name == route.upstream })
        else { return nil }
        if route.server.isEmpty { return (upstream, -1) }
        let servers = context.upstreams[upstream].servers
        guard let server = servers.firstIndex(where: { $0.name == route.server }) else {
            return nil
        }
        return (upstream, server)
    }

    private mutating func session(
        _ record: SessionRecord,
        _ listener: Int,
        upstream: Int?,
        _ descriptors: inout DescriptorList
    ) throws(Errno) -> Session {
        let client = try Endpoint(record.client, adopting: descriptors.next())
        var session = Session(
            id: record.id,
            listener: listener,
            // A moment that is yet to come would make an age of less than nothing.
            now: min(record.openedAt, serveContext.now),
            socket: .none,
            peer: record.peer,
            upstream: upstream
        )
        session.client = client
        session.activeAt = min(record.activeAt, serveContext.now)
        session.halfClosedAt = min(record.halfClosedAt, serveContext.now)
        session.position = record.position
        session.awaitsHeader = record.awaitsHeader
        session.brokenBy = record.brokenBy
        session.destination = record.destination
        if let server = record.server {
            session.server = try Endpoint(server, adopting: descriptors.next())
        }
        session.toServer = try Channel(record.toServer, &descriptors, in: &serveContext)
        do throws(Errno) {
            session.toClient = try Channel(record.toClient, &descriptors, in: &serveContext)
        } catch {
            session.toServer.discard(in: &serveContext)
            throw error
        }
        if record.hasBytes { session.setBreaking(false) }
        return session
    }

    /// Counts a session in that has its place among all, and lets it go on.
    private mutating func settleIn(_ key: SlabKey, _ record: SessionRecord, server: Int) {
        let listener = context.listeners[sessions[key].listener]
        context.totalLimiter.commit()
        note(sessions[key].listener) { $0.active += 1 }
        // Limits that have become lower since hold for those that come.
        listener.limiter.force()
        if record.isCountedBySource, let ip = record.peer?.ip {
            sessions[key].isCountedBySource = listener.sources?.enter(ip) ?? false
        }
        if let route = record.route { resume(route, key, server: server) }
        do throws(Errno) {
            try sessions[key].client.register(
                with: poll.registry,
                token: key.token,
                forOutput: false
            )
            if server >= 0 {
                try sessions[key].server.register(
                    with: poll.registry,
                    token: Tokens.server(key),
                    forOutput: sessions[key].connector.phase == .connecting
                )
            }
        } catch {
            return end(key, because: .failed(error))
        }
        // Bytes that came during the restart are still unread, so no timeout is judged before the
        // first events are handled: also a timeout that passed in the meantime waits for a moment.
        if let due = deadline(of: key) {
            timers.schedule(key.index, at: max(due.millisecond, serveContext.now + Self.grace))
        }
        guard !record.awaitsHeader else { return }
        if sessions[key].connector.upstream != nil, sessions[key].connector.phase == .idle {
            connect(key, .started)
        } else {
            ready.append(key)  // What waits to be sent is told of by no event.
        }
    }

    /// Brings a session back to where it was on its way to its server.
    private mutating func resume(_ route: SessionRecord.Route, _ key: SlabKey, server: Int) {
        sessions[key].owedHeader = .init(version: route.owedHeader)
        sessions[key].connector.restore(
            Connector.Restored(
                server: server < 0 ? nil : server,
                isConnecting: route.isConnecting,
                isBreaking: route.isBreaking,
                address: Int(min(route.address, 1 << 16)),
                nextAt: route.nextAt,
                endsAt: route.endsAt,
                nanosecond: MonotonicClock.nanoseconds()
            )
        )
        guard server >= 0, let upstream = upstream(of: sessions[key]) else { return }
        // The event tells that it is made.
        if route.isConnecting { sessions[key].server.flags.remove(.outputReady) }
        upstream.limiter.force()
        upstream.servers[server].active.add(1, ordering: .relaxed)
    }
}

extension SessionLimiter {
    /// Counts a session in that was in before this limiter was made, whatever the limit.
    fileprivate func force() {
        places.add(1, ordering: .sequentiallyConsistent)
        commit()
    }
}
