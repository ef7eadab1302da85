internal import SystemPackage
internal import Verypoll

// How a proxied session gets its server.
//
// The connector decides and the worker acts. The worker hands an event to the connector, performs
// the one action that the connector returns, and hands the result back as the next event, in a
// loop, until the connector must wait for something to happen. The usual sequence is:
//
//   started       -> reserve a place in the upstream
//   placeReserved -> choose a server
//   serverChosen  -> connect to its first address
//   attemptBegan  -> wait until the attempt's time is over
//   attemptSucceeded
//
// If an attempt fails, the next address is tried, then the next server. If no server is left, the
// session pauses and starts over while the upstream's `retry.for` lasts. If the upstream is full,
// the session waits in the upstream's queue. If all servers are full, the session keeps its place
// and waits in the same queue. A connector holds at most one place, one entry in the queue and one
// server; it returns each of them exactly once.
//
// A server goes down if its checks fail, if an operator sets it down, or if a reload removes it.
// The upstream's `whenDown` then applies to connected sessions. A session that is still connecting
// has sent nothing yet: it abandons the attempt and chooses another server at once. If no other
// server can be chosen, the attempt continues. If it succeeds while the server is still down,
// `whenDown` applies from then on: `close` ends the session, `drain` lets it continue for
// `drain.deadline`. These deadlines are removed when the server is up again, and at a restart. An
// ejection is only a guess: it keeps new sessions away and ends neither attempts nor sessions.

/// Decides how a session gets its server; performs no I/O.
package struct Connector {
    private(set) var phase = Phase.idle
    /// Whether the upstream counts the session among its sessions.
    private(set) var holdsPlace = false
    /// Whether the session is in the upstream's queue.
    private(set) var isQueued = false
    /// Whether the server went down while the session was connecting to it.
    private(set) var isServerDown = false
    /// The slot of the upstream, -1 for a session that is not proxied.
    var upstreamSlot: Int32
    /// The index of the server, -1 while none is chosen.
    private(set) var serverIndex: Int32 = -1
    /// The index of the address to try next.
    private(set) var nextAddress: Int32 = 0
    /// The number of the error of the last attempt since the last wait, 0 if there was none.
    private var lastError: Int32 = 0
    /// The servers that could not be reached; empty, and so without storage, in most sessions.
    private(set) var tried: [Int] = []
    /// The millisecond in which the search or the breaking began.
    private(set) var beganAt: UInt64
    /// The millisecond in which the search is over; `UInt64.max` once it has succeeded.
    private(set) var endsAt = UInt64.max
    /// The millisecond in which the current attempt or pause is over, `UInt64.max` for never.
    private(set) var nextAt = UInt64.max
    /// The millisecond in which the waits in the queue are over, `UInt64.max` before the first.
    private var queueEndsAt = UInt64.max
    /// The nanosecond in which the current attempt was begun.
    private(set) var attemptedAt: UInt64 = 0

    /// Makes a connector whose search has not begun.
    ///
    /// - Parameters:
    ///   - upstream: The slot of the upstream; `nil` for a session that is not proxied.
    ///   - now: The current millisecond.
    init(upstream: Int?, now: UInt64) {
        upstreamSlot = Int32(upstream ?? -1)
        beganAt = now
    }

    // MARK: Events

    /// Handles an event and returns the next action.
    ///
    /// - Parameters:
    ///   - event: The result of the previous action, or something that happened during a wait.
    ///   - facts: The facts about the upstream at this moment.
    /// - Returns: The next action.
    mutating func handle(_ event: Event, _ facts: Facts) -> Action {
        switch event {
        case .started:
            return phase == .idle ? proceed(facts) : .nothing
        case .placeReserved:
            holdsPlace = true
            beganAt = facts.now
            endsAt = facts.now + facts.connectTimeout
            // A queued session stays in the queue until a server has room too.
            return proceed(facts)
        case .upstreamFull, .serversFull: return isQueued ? waitForRoom(facts) : .enterQueue
        case .queueEntered:
            isQueued = true
            queueEndsAt = min(queueEndsAt, facts.now + max(facts.connectTimeout, facts.retryFor))
            return waitForRoom(facts)
        case .queueFull: return giveUp(.queueFull)
        case .queueLeft:
            isQueued = false
            guard phase != .over else { return returnNext() }
            beganAt = facts.now
            return proceed(facts)
        case .serverChosen(let server):
            (serverIndex, nextAddress) = (Int32(server), 0)
            return isQueued ? .leaveQueue : proceed(facts)
        case .noServer(let awaitsNames):
            if isQueued { return .leaveQueue }  // Then choose once more.
            return pause(facts, patience: awaitsNames ? facts.connectTimeout : 0, isBusy: false)
        case .attemptBegan(let nanosecond): return limitAttempt(begunAt: nanosecond, facts)
        case .attemptFailed(let error): return closeAttempt(error, facts)
        case .attemptClosed: return goOn(facts)
        case .serverLeft:
            (serverIndex, isServerDown) = (-1, false)
            return phase == .over ? returnNext() : proceed(facts)
        case .serverDown: return leaveDownServer(facts)
        case .retry: return isHeld ? resume(facts) : .nothing
        case .timerFired: return timerFired(facts)
        case .ended:
            phase = .over
            return returnNext()
        case .placeReleased:
            holdsPlace = false
            return returnNext()
        }
    }

    /// Notes that the connection is made.
    mutating func succeed() {
        phase = .connected
        (nextAt, endsAt, queueEndsAt) = (.max, .max, .max)
        tried = []
    }

    /// Notes that the server of a connected session is down.
    ///
    /// - Parameter deadline: The millisecond until which the session may continue; `nil` to end it.
    /// - Returns: The next action.
    mutating func serverWentDown(deadline: UInt64?) -> Action {
        // A session without a connection is handed Event.serverDown. A broken session keeps the
        // connection that is left only until the last bytes are sent.
        guard phase == .connected else { return .nothing }
        guard let deadline else { return .endForServer }
        nextAt = min(nextAt, deadline)
        return .wait(until: nextAt)
    }

    /// Notes that the server is up again, and removes the deadline that its outage set.
    mutating func serverCameUp() {
        isServerDown = false
        if phase == .connected { nextAt = .max }
    }

    /// Notes that one of the connections is broken while bytes for the other are still unsent.
    ///
    /// No event announces that the kernel has sent the last byte, so the worker checks repeatedly,
    /// at growing intervals. A slow peer still receives all bytes. A timeout of the listener ends
    /// the session of a peer that stopped reading.
    mutating func linger(now: UInt64) -> Action {
        if phase != .breaking {
            phase = .breaking
            beganAt = now
        }
        nextAt = now + ((now - beganAt) / 8).clamped(to: Self.lingers)
        return .wait(until: nextAt)
    }

    /// Restores the state of the previous process; without a server, the search starts over.
    mutating func restore(_ state: Restored) {
        if state.isBreaking { phase = .breaking }
        guard let server = state.server else { return }
        if state.isConnecting {
            phase = .connecting
            nextAddress = Int32(clamping: state.address)
            endsAt = state.endsAt
            attemptedAt = state.nanosecond
        } else if !state.isBreaking {
            phase = .connected
        }
        if phase != .connected { nextAt = state.nextAt }
        serverIndex = Int32(server)
        holdsPlace = true
    }

    // MARK: Steps

    /// Returns the action for whatever is missing next: a place, a server, a connection.
    private mutating func proceed(_ facts: Facts) -> Action {
        guard holdsPlace else {
            phase = .entering
            return .reservePlace
        }
        phase = .choosing
        let isInTime = facts.now < endsAt
        guard serverIndex >= 0 else {
            return isInTime ? .chooseServer : pause(facts, patience: 0, isBusy: false)
        }
        guard isInTime, Int(nextAddress) < facts.addressCount else {
            tried.append(Int(serverIndex))
            return .giveUpServer(Int(serverIndex))
        }
        nextAddress += 1
        return .connect(server: Int(serverIndex), address: Int(nextAddress) - 1)
    }

    /// Limits the attempt to the time that is left, or to half of it if there is an alternative.
    private mutating func limitAttempt(begunAt nanosecond: UInt64, _ facts: Facts) -> Action {
        phase = .connecting
        attemptedAt = nanosecond
        let left = endsAt - facts.now
        nextAt = facts.now + (hasAlternative(facts) ? max(left / 2, 1) : left)
        return .wait(until: nextAt)
    }

    /// Leaves a server that went down before it was connected.
    ///
    /// An attempt continues if no other server can be chosen, or if no time is left for one.
    private mutating func leaveDownServer(_ facts: Facts) -> Action {
        guard serverIndex >= 0, !facts.isServerChoosable else { return .nothing }
        if phase == .pausing { return resume(facts) }
        guard phase == .connecting else { return .nothing }
        isServerDown = true
        guard facts.hasOtherServer, facts.now < endsAt else { return .nothing }
        phase = .choosing
        return .closeAttempt
    }

    private mutating func closeAttempt(_ error: Errno, _ facts: Facts) -> Action {
        lastError = error.rawValue
        // The server can break a connection before the worker watches it. The search was already
        // over, so a new one begins, with the whole time to connect.
        if phase == .connected { endsAt = facts.now + facts.connectTimeout }
        phase = .choosing
        return .closeAttempt
    }

    /// Returns the action after a failed or abandoned attempt.
    private mutating func goOn(_ facts: Facts) -> Action {
        // Another attempt at a server that is down makes sense only if there is no other server.
        if !facts.isServerChoosable, facts.hasOtherServer { return .leaveServer(Int(serverIndex)) }
        let error = Errno(rawValue: lastError)
        // If there is another server or address to try, a full backlog of a Unix-domain socket
        // counts as a failure.
        let isPassedOver = error == .resourceTemporarilyUnavailable && hasAlternative(facts)
        guard error.isShortage, !isPassedOver else { return proceed(facts) }
        return pause(facts, patience: facts.connectTimeout, isBusy: true)
    }

    /// Pauses before the search continues, if the search has time left.
    ///
    /// The search may last for `patience` at least. If the server is busy, it is tried again from
    /// its first address; otherwise all servers are tried again.
    private mutating func pause(_ facts: Facts, patience: UInt64, isBusy: Bool) -> Action {
        let end = beganAt + max(facts.retryFor, patience)
        guard facts.now < end else { return giveUp() }
        if isBusy { nextAddress = 0 } else { tried = [] }
        nextAt = min(facts.now + pauseLength(facts), end)
        endsAt = end
        phase = .pausing
        return .hold(until: nextAt)
    }

    private mutating func waitForRoom(_ facts: Facts) -> Action {
        guard facts.now < queueEndsAt else { return giveUp(.queueTimeout) }
        // A server that could not be reached may be back before another one has room.
        let retries = !tried.isEmpty && facts.retryFor > 0
        let next = retries ? min(facts.now + pauseLength(facts), queueEndsAt) : queueEndsAt
        nextAt = retries && nextAt > facts.now ? min(nextAt, next) : next
        endsAt = queueEndsAt
        phase = .queued
        return .hold(until: nextAt)
    }

    /// Continues the search after a wait, with the whole time to connect.
    ///
    /// A server that was busy is tried again, unless no session may be sent to it any more.
    private mutating func resume(_ facts: Facts) -> Action {
        lastError = 0
        if holdsPlace { endsAt = facts.now + facts.connectTimeout }
        guard serverIndex >= 0, !facts.isServerChoosable else { return proceed(facts) }
        phase = .choosing
        tried = []
        return .leaveServer(Int(serverIndex))
    }

    private mutating func timerFired(_ facts: Facts) -> Action {
        switch phase {
        case .connecting: return closeAttempt(.timedOut, facts)
        case .connected: return .endForServer
        case .queued, .pausing:
            guard facts.now < endsAt else { return giveUp() }
            if phase == .queued { tried = [] }
            return resume(facts)
        case .idle, .entering, .choosing, .breaking, .over: return .nothing
        }
    }

    /// Gives up for a reason, by default the result of the search since the last wait.
    private mutating func giveUp(_ reason: NoServer? = nil) -> Action {
        phase = .over
        if let reason { return .giveUp(reason) }
        if isQueued { return .giveUp(.queueTimeout) }
        return .giveUp(lastError == 0 ? .down : .unreachable(Errno(rawValue: lastError)))
    }
}
