internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

// Accepting: from the backlog to a session. `Acceptor.swift` explains how connections are
// distributed to the workers.

extension Worker {
    /// Accepts connections until the backlog is empty, the quota of the turn is used up, or a limit
    /// is reached.
    mutating func accept(at index: Int) {
        guard let acceptor = acceptorList.socket(at: index) else { return }
        let slot = acceptorList.acceptors[index].listener
        // Local references, so that they are retained once per turn and not at each use.
        let listener = context.listeners[slot]
        let total = context.totalLimiter
        let waits = listener.whenFull == .pause
        let turn = tallies.worker.polls
        for taken in 0..<acceptorList.acceptors[index].quota.begin(turn: turn) {
            guard acceptorList.acceptors[index].pauseReason == .none, !isDraining else { return }
            var permit: AcceptPacer.Permit?
            switch listener.pacer?.take(now: MonotonicClock.nanoseconds()) {
            case .granted(let granted): permit = granted
            case .wait(let nanosecond): return pause(index, until: nanosecond)
            case nil: break
            }
            let refusal = enter(listener, total)
            let isRefused = refusal != .none
            if isRefused, waits || !isFull(listener, total) {
                giveBack(permit, to: listener)
                // A place that another worker holds for a moment is no reason to reject a client.
                // The next poll reports the connection again.
                return waits ? pause(index, because: refusal) : ()
            }
            do throws(Errno) {
                guard let accepted = try take(from: acceptor, for: listener) else {
                    acceptorList.acceptors[index].quota.findEmpty(after: taken)
                    if context.descriptors.isShort { context.descriptors.refill() }
                    giveBack(permit, to: listener)
                    if !isRefused { withdraw(listener, total) }
                    return
                }
                acceptorList.acceptors[index].backOff = Acceptor.backOffs.lowerBound
                acceptorList.acceptors[index].taken += 1
                if isRefused {
                    let cause = refusal == .totalLimit ? RefusalCause.totalLimit : .listenerLimit
                    noteRefusal(because: cause, slot, accepted.peer)
                    accepted.socket.reset()
                } else {
                    admit(accepted, to: listener, slot)
                    if isAhead() { return }
                }
            } catch {
                giveBack(permit, to: listener)
                if !isRefused { withdraw(listener, total) }
                guard AcceptFailure(error) == .connection else {
                    return pause(index, because: .outOfResources, error)
                }
                noteRefusal(because: .acceptFailed, slot, nil)
            }
        }
        acceptorList.acceptors[index].quota.fill(turn: turn)
    }

    /// Accepts a connection; for a scrape of metrics, borrows a descriptor from the reserve if
    /// there is no other.
    private mutating func take(
        from acceptor: ListeningSocket,
        for listener: Listener
    ) throws(Errno) -> ListeningSocket.Accepted? {
        while true {
            do throws(Errno) {
                return try acceptor.accept()
            } catch {
                guard listener.service == .metrics,
                    context.descriptors.lend(for: .metrics, after: error)
                else { throw error }
            }
        }
    }

    /// Returns whether the worker has clearly more than its share of the sessions.
    mutating func isAhead() -> Bool {
        guard context.workerCount > 1 else { return false }
        let share = context.totalLimiter.active / context.workerCount
        return sessions.count > share + 2 + share / 8
    }

    private mutating func giveBack(_ permit: AcceptPacer.Permit?, to listener: Listener) {
        if let permit { listener.pacer?.giveBack(permit) }
    }

    /// Begins a session for a connection whose places are reserved, or refuses it because of its
    /// source.
    private mutating func admit(
        _ accepted: consuming ListeningSocket.Accepted,
        to listener: Listener,
        _ slot: Int
    ) {
        let admission = admission(of: accepted.peer, to: listener)
        if case .refused(let cause) = admission {
            noteRefusal(because: cause, slot, accepted.peer)
            withdraw(listener, context.totalLimiter)
            accepted.socket.reset()
        } else if listener.service == .drop {
            // No session is created here. A connection to such a listener reaches
            // `Session.dispatch` only if it must first read a PROXY header.
            tallies.note(slot) { $0.accepted += 1 }
            withdraw(listener, context.totalLimiter)
            if case .admitted(true) = admission, let ip = accepted.peer?.ip {
                listener.sources?.leave(ip)
            }
        } else {
            listener.limiter.commit()
            context.totalLimiter.commit()
            begin(accepted, listener: slot, admission)
        }
    }

    // MARK: Admission

    /// Whether a client may be served, and whether it is counted in the source table.
    enum Admission {
        case admitted(isCounted: Bool)
        /// The session must first read the client's PROXY header.
        case awaitsHeader
        case refused(RefusalCause)
    }

    /// Decides by its source whether to admit a connection; Unix-domain and vsock clients are
    /// always admitted.
    mutating func admission(of peer: SocketAddress?, to listener: Listener) -> Admission {
        guard let peer else { return .admitted(isCounted: false) }
        if hops(from: peer) >= OwnConnections.limit { return .refused(.cycle) }
        let ip = peer.ip
        if listener.headerSources?.admits(ip) == true { return .awaitsHeader }
        return admission(of: ip, to: listener)
    }

    private mutating func admission(of ip: IPAddress, to listener: Listener) -> Admission {
        if listener.rules?.admits(ip) == false { return .refused(.accessRules) }
        guard let sources = listener.sources else { return .admitted(isCounted: false) }
        return sources.enter(ip) ? .admitted(isCounted: true) : .refused(.sourceLimit)
    }

    /// Reads the PROXY header at the beginning of a session.
    ///
    /// - Returns: Whether the header is complete and its source is admitted.
    mutating func readHeader(_ key: SlabKey) -> Bool {
        let listener = context.listeners[sessions[key].listener]
        switch sessions[key].readHeader(in: &serveContext) {
        case .incomplete: return false
        case .again:
            schedule.ready.append(key)
            return false
        case .end(let reason):
            end(key, because: reason)
            return false
        case .complete: break
        }
        guard let ip = sessions[key].peer?.ip else { return true }
        switch admission(of: ip, to: listener) {
        case .admitted(let isCounted): sessions[key].isCountedBySource = isCounted
        case .refused(let cause):
            end(key, because: .notAdmitted(cause))
            return false
        case .awaitsHeader: break  // A header is read once.
        }
        sessions[key].awaitsHeader = false
        sessions[key].activeAt = serveContext.now
        setTimer(key)
        return true
    }

    /// Returns the number of this daemon's listeners that a connection's chain has passed.
    mutating func hops(from peer: SocketAddress) -> UInt8 {
        context.chainedPorts.isEmpty ? 0 : context.ownConnections.hops(from: peer)
    }

    /// Counts a client that is refused, for metrics and the log.
    mutating func noteRefusal(because cause: RefusalCause, _ slot: Int, _ peer: SocketAddress?) {
        tallies.note(slot) { $0.refuse(because: cause) }
        context.listenerCounters[slot].publish(
            tallies.listeners[slot],
            afterRefusal: cause,
            of: peer
        )
    }

    // MARK: Places of the listener and of the whole daemon

    /// Returns whether sessions fill all places; places that are only reserved do not count.
    private mutating func isFull(_ listener: Listener, _ total: SessionLimiter) -> Bool {
        total.isFull(beyond: listener.reserve) || listener.limiter.isFull()
    }

    /// Reserves a place in both limiters, or in none; returns the limit that is reached.
    ///
    /// If connections wait in the backlog, the limiters note that a worker must be notified. The
    /// listener's limiter comes first. Otherwise, a full listener with a reserve would reserve and
    /// release a place among all sessions again and again, and each time wake the workers that wait
    /// for one.
    private mutating func enter(_ listener: Listener, _ total: SessionLimiter) -> PauseReason {
        let awaits = listener.whenFull == .pause
        let reserve = listener.reserve
        guard awaits ? listener.limiter.reserveOrAwait() : listener.limiter.tryReserve() else {
            return .listenerLimit
        }
        guard awaits ? total.reserveOrAwait(beyond: reserve) : total.tryReserve(beyond: reserve)
        else {
            if listener.limiter.cancel() { tellOfRoom() }
            return .totalLimit
        }
        return .none
    }

    private mutating func withdraw(_ listener: Listener, _ total: SessionLimiter) {
        let isListenerAwaited = listener.limiter.cancel()
        let isTotalAwaited = total.cancel()
        if isListenerAwaited || isTotalAwaited { tellOfRoom() }
    }

    /// Notifies all workers that a limiter has room again and that a listener waits for it.
    mutating func tellOfRoom() {
        for mailbox in context.mailboxes { mailbox.postOnce(.resume) }
    }
}
