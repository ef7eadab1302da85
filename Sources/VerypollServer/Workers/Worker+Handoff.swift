internal import Logging
internal import SystemPackage
internal import Verypoll

extension Worker {
    /// Stops accepting, without a word to the sessions.
    package mutating func stopAccepting() {
        closeAcceptors()
        isDraining = true
        if sessions.count == 0 { context.supervisor.post(.empty) }
    }

    /// Packs its sessions for the next process, ends those that cannot go there, and its thread.
    package mutating func handoff() {
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

    /// The sessions that another process can go on with, the busiest last.
    ///
    /// Busy is what moved bytes last and, of those that did so in the same millisecond, what has
    /// moved more. Clients that ask for metrics ask again. A session that has read part of a long
    /// PROXY header is not recorded; the client has sent nothing else yet, and connects again.
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

    /// Packs sessions into one bundle; where the kernel refuses that, into several.
    ///
    /// So a session that cannot be sent, as a Unix-domain client could see to by what it has
    /// passed itself, is left behind alone.
    ///
    /// The supervisor stores a bundle at once, so that what is in it survives a crash. The worker
    /// has let go of its sessions by then: no session is served by two processes.
    private mutating func pack(_ keys: [SlabKey], rank: inout Int) {
        var records: [SessionRecord] = []
        var descriptors: [FileDescriptor] = []
        for key in keys {
            let record = sessions[key].record(
                listener: context.listeners[sessions[key].listener],
                upstream: upstream(of: sessions[key])
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
                return context.logger.warning("cannot hand a session over: \(error)")
            }
            pack(Array(keys[..<(keys.count / 2)]), rank: &rank)
            pack(Array(keys[(keys.count / 2)...]), rank: &rank)
            return
        }
        // Should no process take them up, nobody is to take what is missing for the end.
        for (key, record) in zip(keys, records) where record.hasBytes {
            sessions[key].setBreaking(true)
        }
        for descriptor in descriptors { unwatch(descriptor) }
        for key in keys { end(key, because: .handedOff) }
        context.supervisor.post(.packed(bundle))
    }

    /// Stops watching a connection, whose events would come as long as the bundle keeps it open.
    private func unwatch(_ descriptor: FileDescriptor) {
        // Pipes are not watched, so that an error is no news.
        try? poll.registry.deregister(SourceFD(descriptor))
    }
}
