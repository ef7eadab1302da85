#if Net && OSExt
internal import Logging
internal import SystemPackage
internal import Verypoll

extension Worker {
    /// Takes on a connection that the gates have let in.
    mutating func begin(_ accepted: consuming ListeningSocket.Accepted, listener: Int) {
        let peer = accepted.peer
        let session = Session(
            id: nextSessionID,
            listener: listener,
            now: bench.now,
            socket: accepted.socket,
            peer: peer
        )
        nextSessionID += UInt64(context.workerCount)
        switch sessions.insert(session) {
        case .full:
            // The gate of all sessions lets no more in than the slab holds.
            preconditionFailure("slab capacity overflow")
        case .stored(let key):
            note(listener) { $0.accepted += 1 }
            do throws(Errno) {
                try sessions[key].socket.register(with: poll.registry, token: key.token)
            } catch {
                return end(key, because: .failed(error))
            }
            let timeouts = context.listeners[listener].timeouts
            if let due = sessions[key].deadline(timeouts) {
                timers.schedule(key.index, at: due.millisecond)
            }
        }
    }

    /// Lets a session do what there is to do.
    mutating func serve(_ key: SlabKey) {
        let listener = sessions[key].listener
        let bytesIn = sessions[key].bytesIn
        let bytesOut = sessions[key].bytesOut
        let wasHalfClosed = sessions[key].isHalfClosed
        let step = sessions[key].serve(context.listeners[listener].service, on: &bench)
        let received = sessions[key].bytesIn - bytesIn
        let sent = sessions[key].bytesOut - bytesOut
        note(listener) { tally in
            tally.bytesIn += received
            tally.bytesOut += sent
        }
        switch step {
        case .wait: break
        case .again: ready.append(key)
        case .starved: starved.append(key)
        case .end(let reason): return end(key, because: reason)
        }
        if !wasHalfClosed, sessions[key].isHalfClosed { bringForward(key) }
        feedStarved()
    }

    /// Ends a session and gives back all that it has.
    mutating func end(_ key: SlabKey, because reason: Session.EndReason) {
        guard var session = sessions.remove(key) else { return }
        timers.cancel(key.index)
        if let buffer = session.parked.take() { bench.pool.give(buffer) }
        let listener = context.listeners[session.listener]
        if context.logsSessions { log(session, of: listener, reason) }
        // Whoever sees that it has gone is to see what it did as well.
        publish()
        let isListenerAwaited = listener.gate.leave()
        let isTotalAwaited = context.totalGate.leave()
        // The descriptor is free only once the session is gone, and others may need it.
        discardSession(session)
        if isListenerAwaited || isTotalAwaited { tellOfRoom() }
        if doorsRetryAt != .max { doorsRetryAt = bench.now }
        feedStarved()
        if isDraining, !isEnding, sessions.count == 0 { context.supervisor.post(.empty) }
    }

    /// Ends all sessions, at a stop.
    mutating func endAll() {
        for index in 0..<sessions.endIndex {
            if let key = sessions.key(at: index) { end(key, because: .drained) }
        }
    }

    /// Changes a listener's tally, which is published at the end of the turn.
    mutating func note(_ listener: Int, _ change: (inout ListenerTally) -> Void) {
        if !dirtyListeners.contains(listener) { dirtyListeners.append(listener) }
        change(&tallies[listener])
    }

    /// Lets the sessions that wait for a buffer try again, once there is one.
    private mutating func feedStarved() {
        guard !starved.isEmpty, bench.pool.hasRoom else { return }
        while let key = starved.popFirst() {
            if sessions.contains(key) { ready.append(key) }
        }
    }

    private mutating func bringForward(_ key: SlabKey) {
        let timeouts = context.listeners[sessions[key].listener].timeouts
        guard let due = sessions[key].deadline(timeouts) else { return }
        timers.schedule(key.index, at: due.millisecond)
    }

    private func log(
        _ session: borrowing Session,
        of listener: Listener,
        _ reason: Session.EndReason
    ) {
        context.logger.info(
            "session ended: \(reason)",
            metadata: [
                "listener": "\(listener.name)",
                "session": "\(session.id)",
                "peer": "\(session.peerDescription)",
                "bytesIn": "\(session.bytesIn)",
                "bytesOut": "\(session.bytesOut)",
                "durationMsec": "\(bench.now - session.openedAt)",
            ]
        )
    }
}

/// Closes a session's connection; a function, because that is what ends a value's life early.
private func discardSession(_ session: consuming Session) {}

extension Session.EndReason: CustomStringConvertible {
    var description: String {
        switch self {
        case .completed: "both ways ended"
        case .failed(let error): "\(error)"
        case .timedOut(let timeout): "the time \(timeout.rawValue) ran out"
        case .killed: "killed"
        case .drained: "the daemon stopped"
        }
    }
}
#endif
