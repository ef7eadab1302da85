internal import Logging
internal import Synchronization
internal import SystemPackage
internal import Verypoll

// A restart: handing sessions to the next process, and restoring those of the previous one.

extension Worker {
    /// The least time in milliseconds before a timeout may end a restored session.
    private static let grace: UInt64 = 1_000

    /// Stops accepting; the sessions continue.
    mutating func stopAccepting() {
        closeAcceptors()
        isDraining = true
        if sessions.count == 0 { context.supervisor.post(.empty) }
    }

    /// Packs the sessions for the next process, ends the others, and ends the worker's thread.
    mutating func handoff() {
        isDraining = true
        isEnding = true
        closeAcceptors()
        var keys = heritableKeys()[...]
        let ids = keys.map { sessions[$0].id }
        context.supervisor.post(.packing(worker: context.index, ids: ids))
        var rank = 0
        while !keys.isEmpty {
            let part = keys.prefix(SessionFile.sessionLimit)
            keys = keys.dropFirst(part.count)
            pack(Array(part), rank: &rank)
        }
        let left = sessions.count
        endAll()
        context.supervisor.post(.handedOff(closedCount: left))
        context.supervisor.post(.ended)
    }

    /// Returns the sessions that the next process can restore, the busiest last.
    ///
    /// A session is busier if it moved bytes later or, in the same millisecond, more bytes in
    /// total.
    ///
    /// Clients of `metrics` are left out, because they repeat their requests. Clients whose long
    /// PROXY header is partly read are left out too, because they have sent nothing else yet and
    /// can reconnect. A handler with state beyond `position` and the channels must extend
    /// `SessionRecord`, or be left out here.
    private func heritableKeys() -> [SlabKey] {
        var found: [(activeAt: UInt64, byteCount: UInt64, key: SlabKey)] = []
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index),
                context.listeners[sessions[key].listener].service != .metrics,
                sessions[key].longHeader == nil
            else { continue }
            let byteCount = sessions[key].toServer.taken &+ sessions[key].toClient.given
            found.append((sessions[key].activeAt, byteCount, key))
        }
        found.sort { ($0.activeAt, $0.byteCount) < ($1.activeAt, $1.byteCount) }
        return found.map(\.key)
    }

    /// Packs sessions into one bundle or, if the kernel refuses that, into several.
    ///
    /// If a session cannot be sent, such as one whose Unix-domain client has passed descriptors,
    /// only that session is lost. The worker closes the sessions, so that only one process serves
    /// them. Then the supervisor stores the bundle at once, so that it survives a crash.
    private mutating func pack(_ keys: [SlabKey], rank: inout Int) {
        var records: [SessionRecord] = []
        var descriptors: [FileDescriptor] = []
        for key in keys {
            let record = sessions[key].record(
                listener: context.listeners[sessions[key].listener],
                upstream: upstream(of: sessions[key]),
                now: serveContext.now
            )
            descriptors += sessions[key].descriptors(of: record)
            records.append(record)
        }
        let bundle: SessionBundle
        do throws(Errno) {
            bundle = try SessionBundle(
                records,
                descriptors,
                nextSessionID: nextSessionID,
                rank: rank
            )
            rank += 1
        } catch {
            guard keys.count > 1 else {
                let name = "session \(records[0].id) of listener \(records[0].listener)"
                return context.logger.warning("cannot hand off \(name): \(error)")
            }
            pack(Array(keys[..<(keys.count / 2)]), rank: &rank)
            pack(Array(keys[(keys.count / 2)...]), rank: &rank)
            return
        }
        // If no process restores the sessions, the kernel must reset their connections: a normal
        // end would hide the missing bytes.
        for (key, record) in zip(keys, records) where record.hasBytes {
            sessions[key].setBreaking(true)
        }
        for descriptor in descriptors { unwatch(descriptor) }
        for key in keys { end(key, because: .handedOff) }
        context.supervisor.post(.packed(bundle))
    }

    /// Stops watching a connection; its events would be reported while the bundle keeps it open.
    private func unwatch(_ descriptor: FileDescriptor) {
        // Fails for pipes, which are not watched.
        try? poll.registry.deregister(SourceFD(descriptor))
    }

    // MARK: Restoring

    /// Begins to work, once all workers are prepared and the daemon's start can no longer fail.
    mutating func begin(_ snapshot: WorkerSnapshot, _ share: SessionShare) {
        guard !isDraining else { return }
        drains = snapshot.drains  // The configuration may drain servers from the start.
        restore(share)
        changeAcceptors(to: snapshot, report: .started)
        changeAcceptors()
    }

    /// Restores the sessions of the previous process.
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
        // Skip the IDs of the previous process. A worker uses every `workerCount`th ID.
        while nextSessionID < share.nextSessionID {
            let behind = share.nextSessionID - nextSessionID
            let step = UInt64(context.workerCount)
            nextSessionID += (behind + step - 1) / step * step
        }
        publish()
        context.supervisor.post(.restored(outcome))
    }

    /// Restores a session.
    ///
    /// - Returns: `nil`, or the reason for a failure, after which the caller resets `descriptors`.
    private mutating func restore(
        _ record: SessionRecord,
        _ descriptors: inout DescriptorList
    ) -> Refusal? {
        guard let listener = context.listeners.firstIndex(where: { $0.name == record.listener })
        else { return .listener }
        guard context.listeners[listener].canTake(record) else { return .handler }
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

    /// Returns the slot of a route's upstream and the index of its server, -1 if there is none yet.
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
            // A moment in the future would make the session's age negative.
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
        session.proxyState.brokenBy = record.brokenBy
        session.restoreStory(record, in: &serveContext)
        if let server = record.server {
            session.proxyState.server = try Endpoint(server, adopting: descriptors.next())
        }
        var toServer = record.toServer
        if record.keepsHello { toServer.parked = [] }
        session.toServer = try Channel(toServer, &descriptors, in: &serveContext)
        do throws(Errno) {
            session.toClient = try Channel(record.toClient, &descriptors, in: &serveContext)
        } catch {
            session.toServer.releaseBuffers(in: &serveContext)
            throw error
        }
        session.restoreInspection(
            record,
            context.listeners[listener].router,
            in: &serveContext
        )
        if record.hasBytes { session.setBreaking(false) }
        return session
    }

    /// Registers a restored session whose global slot is already reserved.
    private mutating func settleIn(_ key: SlabKey, _ record: SessionRecord, server: Int) {
        let listener = context.listeners[sessions[key].listener]
        context.totalLimiter.commit()
        tallies.note(sessions[key].listener) { $0.active += 1 }
        // Limits that were lowered apply to new sessions only.
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
                try sessions[key].proxyState.server.register(
                    with: poll.registry,
                    token: Tokens.server(key),
                    forOutput: sessions[key].proxyState.connector.phase == .connecting
                )
            }
        } catch {
            return end(key, because: .failed(error))
        }
        // Bytes that arrived during the restart are still unread, so no timeout may end the session
        // before its first events are handled. This also delays a timeout that has passed.
        if let due = deadline(of: key) {
            let moment = max(due.millisecond, serveContext.now + Self.grace)
            schedule.timers.schedule(key.index, at: moment)
        }
        guard !record.awaitsHeader else { return }
        if sessions[key].proxyState.connector.upstream != nil,
            sessions[key].proxyState.connector.phase == .idle
        {
            connect(key, .started)
        } else {
            schedule.ready.append(key)  // No event reports bytes that wait to be sent.
        }
    }

    /// Restores the state of a session's search for its server.
    private mutating func resume(_ route: SessionRecord.Route, _ key: SlabKey, server: Int) {
        sessions[key].proxyState.owedHeader = .init(version: route.owedHeader)
        sessions[key].proxyState.connector.restore(
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
        // An event reports when the connection is made.
        if route.isConnecting { sessions[key].proxyState.server.flags.remove(.outputReady) }
        upstream.limiter.force()
        upstream.servers[server].active.add(1, ordering: .relaxed)
    }
}
