internal import Logging
internal import SystemPackage
internal import Varlink
internal import Verypoll
internal import VerypollControl
internal import VerypollServer

// Scheduling, accepting and closing the clients.

extension ControlServer {
    // MARK: Turns

    mutating func slotWithMostCredit(
        of slots: [Int],
        now: ContinuousClock.Instant
    ) -> Int? {
        var best: (slot: Int, credit: Duration)?
        for slot in slots {
            // A slot without credit is served last. Such a client only gets the rest of an answer;
            // the listening socket accepts as usual.
            let credit = cpuBudget.update(slot, now: now)
            if best.map({ $0.credit < credit }) ?? true { best = (slot, credit) }
        }
        return best?.slot
    }

    mutating func turn(
        of slot: Int,
        now: ContinuousClock.Instant,
        handler: some ControlHandler
    ) {
        let start = threadTime()
        if slot == Self.listenerSlot {
            accept(now: now)
        } else {
            serve(slot, now: now, handler: handler)
        }
        pay(threadTime() - start, for: slot, now: now)
    }

    /// Charges a client for its turn.
    ///
    /// Stops reading from the client if its credit is used up, and watching all sockets if the
    /// common credit is used up.
    mutating func pay(_ time: Duration, for slot: Int, now: ContinuousClock.Instant) {
        cpuBudget.use(time, by: slot)
        if cpuBudget.isOver(slot), slot != Self.listenerSlot { finishTurn(of: slot) }
        if cpuBudget.isOver { watch(false, now: now) }
    }

    /// Watches all sockets, or none.
    mutating func watch(_ isWanted: Bool, now: ContinuousClock.Instant) {
        guard isWanted != isWatched else { return }
        isWatched = isWanted
        listener.watch(isWanted, now: now, registry: registry)
        for slot in clients.indices where clients[slot] != nil { updateWatch(of: slot) }
    }

    /// Watches a client for the events that can be handled now.
    private mutating func updateWatch(of slot: Int) {
        let isPaused = cpuBudget.isOver(slot)
        do throws(Errno) {
            try clients[slot]?.watch(isWatched, with: registry, isPaused: isPaused)
        } catch {
            close(slot)
        }
    }

    // MARK: Clients

    private mutating func serve(
        _ slot: Int,
        now: ContinuousClock.Instant,
        handler: some ControlHandler
    ) {
        guard let client = clients[slot] else { return }
        guard !cpuBudget.isOver(slot) else { return finishTurn(of: slot) }
        do throws(Errno) {
            try client.receive(now: now)
        } catch {
            return close(slot)
        }
        if client.connection.nextByteCount > Self.inlineByteCount {
            if let message = client.connection.takeMessage() {
                let callID = CallID(slot: slot, client: client.id, call: 0, socket: socket)
                jobs.add(ControlJob(callID: callID, work: .decode(message)))
            }
        } else if let call = client.connection.nextCall() {
            perform(call, of: client, in: slot, handler: handler)
        }
        finishTurn(of: slot)
    }

    mutating func perform(
        _ call: Call,
        of client: ControlClient,
        in slot: Int,
        handler: some ControlHandler
    ) {
        let callID = CallID(
            slot: slot,
            client: client.id,
            call: client.connection.callCount,
            socket: socket
        )
        answer(call, of: client, callID: callID, handler: handler)
        // The call of a monitor never ends, so a monitor is counted once.
        if client.isMonitor { monitorCount += 1 }
    }

    mutating func finishTurn(of slot: Int) {
        guard let client = clients[slot] else { return }
        do throws(Errno) {
            if !client.isFinished { try client.send() }
            if !client.isFinished { return updateWatch(of: slot) }
        } catch {
            // The connection has failed, which concerns only this client.
        }
        close(slot)
    }

    mutating func close(_ slot: Int) {
        if clients[slot]?.isMonitor == true { monitorCount -= 1 }
        clients[slot] = nil
        jobs.remove(ofClientIn: slot)
    }

    // MARK: Accepting

    private mutating func accept(now: ContinuousClock.Instant) {
        var attempts = Self.acceptsPerTurn
        var acceptedCount = 0
        while attempts > 0 {
            do throws(Errno) {
                let stream = try listener.accept(
                    attempts: &attempts,
                    now: now,
                    registry: registry
                )
                guard let stream else { return }
                acceptedCount += 1
                admitIfPossible(stream, now: now)
            } catch {
                // Without a free descriptor, accept(2) fails even if no connection is waiting. An
                // event has announced only the first connection of this turn.
                guard acceptedCount == 0 else { return }
                if makeRoom(after: error) { continue }
                return listener.pause(after: error, now: now, registry: registry)
            }
        }
    }

    private mutating func admitIfPossible(
        _ stream: consuming UnixStream,
        now: ContinuousClock.Instant
    ) {
        do throws(Errno) {
            try admit(stream, now: now)
        } catch {
            logger.warning("cannot serve a client of the \(socket.rawValue): \(error)")
        }
    }

    /// Frees a descriptor for a client: one of the reserve or, if all of those are lent, that of
    /// the client that has been idle longest.
    private mutating func makeRoom(after error: Errno) -> Bool {
        guard let descriptors else { return false }
        if descriptors.lend(for: .control, after: error) { return true }
        guard [.tooManyOpenFiles, .tooManyOpenFilesInSystem].contains(error),
            let slot = idlestSlot
        else { return false }
        close(slot)
        return true
    }

    private mutating func admit(
        _ stream: consuming UnixStream,
        now: ContinuousClock.Instant
    ) throws(Errno) {
        guard let slot = freeSlot() else { return }
        let credentials = try stream.peerCredentials()
        let permission = authorization.permission(
            for: credentials,
            groups: try stream.peerGroups()
        )
        clientCount += 1
        let client = ControlClient(
            id: clientCount,
            stream: stream,
            token: Token(firstToken + slot),
            credentials: credentials,
            permission: permission,
            oversizeError: Self.oversizeError,
            now: now
        )
        try client.watch(isWatched, with: registry)
        clients[slot] = client
        cpuBudget.reset(slot, now: now)
    }

    /// Returns a free slot.
    ///
    /// If there is none, closes the client that has been idle longest, so that forgotten clients do
    /// not lock the operator out.
    ///
    /// A monitor is closed only if there is no other idle client, because its call never ends.
    ///
    /// - Returns: `nil` if every client waits for an answer.
    private mutating func freeSlot() -> Int? {
        if let free = clients.firstIndex(where: { $0 == nil }) { return free }
        guard let slot = idlestSlot else { return nil }
        close(slot)
        return slot
    }

    private var idlestSlot: Int? {
        clients.enumerated()
            .filter { _, client in
                client.map { !$0.connection.isCallInProgress || $0.isMonitor } ?? false
            }
            .min { first, second in
                guard let first = first.element, let second = second.element else { return false }
                return (first.isMonitor ? 1 : 0, first.lastActivity)
                    < (second.isMonitor ? 1 : 0, second.lastActivity)
            }?.offset
    }
}
