internal import Logging
internal import SystemPackage
internal import Verypoll
// How connections are spread over the workers without making one wait.
//
// All workers watch each listening socket by level and exclusively, so the kernel wakes one worker
// that is waiting for events: the first in the socket's queue. A worker at work is not waiting, so
// a connection that arrives meanwhile wakes another one. Two rules keep the shares even. A worker
// that has accepted its share, or has clearly more sessions than the average, goes to the end of
// the queue. And a worker that is ahead accepts one connection a turn, where the others accept as
// many as are there. No worker ever stops watching the socket for the sake of the others: the
// others may be busy or have no processor, and then the connection would wait for nothing.
internal import VerypollConfiguration

/// A socket that a worker accepts from, and whether it does so at present.
package struct Acceptor {
    package var listener: Int
    /// `nil` once it is closed, until another takes its place.
    package var socket: ListeningSocket?
    /// Why it is not watched, or `none` if it is.
    package var pauseReason = PauseReason.none
    /// How many milliseconds the next pause for want of resources lasts.
    var backOff: UInt64 = 100
    /// The millisecond of its last line in the log, so that these are few.
    var loggedAt: UInt64?
    /// The connections that were taken since it was last put behind the other workers.
    package var taken = 0
    /// The most connections to take in a turn.
    var quota = 1
    /// The poll after which connections were taken last.
    var acceptedAt: UInt64 = 0
}

extension Worker {
    /// The most connections that one acceptor takes in a turn.
    private static let acceptsPerTurn = 32

    /// The connections after which others have their turn at an acceptor.
    private static let acceptsPerTenure = 8

    /// The longest pause for want of resources, in milliseconds.
    private static let longestBackOff: UInt64 = 3_200

    /// The shortest time between two lines of the log on one acceptor, in milliseconds.
    private static let logInterval: UInt64 = 10_000

    /// Takes connections off a backlog, until it is empty, the turn is over or a limit is reached.
    package mutating func accept(at index: Int) {
        // The acceptor may be gone since the event came.
        guard acceptors.indices.contains(index), let acceptor = acceptors[index].socket else {
            return
        }
        let number = acceptors[index].listener
        // References that are counted once a turn, and not at each use.
        let listener = context.listeners[number]
        let total = context.totalLimiter
        let waits = listener.whenFull == .pause
        for _ in 0..<quota(of: index) {
            guard acceptors[index].pauseReason == .none, !isDraining else { return }
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
                // Nobody is turned away for a place that is only held for a moment; the next poll
                // tells of the connection again.
                return waits ? pause(index, because: refusal) : ()
            }
            do throws(Errno) {
                guard let accepted = try take(from: acceptor, for: listener) else {
                    acceptors[index].quota = 1
                    if context.descriptors.isShort { context.descriptors.refill() }
                    giveBack(permit, to: listener)
                    if !isRefused { withdraw(listener, total) }
                    return
                }
                acceptors[index].backOff = 100
                acceptors[index].taken += 1
                if isRefused {
                    note(number) { $0.rejected += 1 }
                    accepted.socket.reset()
                } else {
                    admit(accepted, to: listener, number)
                    if isAhead() { return }
                }
            } catch {
                giveBack(permit, to: listener)
                if !isRefused { withdraw(listener, total) }
                guard AcceptFailure(error) == .connection else {
                    return pause(index, because: .outOfResources, error)
                }
                note(number) { $0.rejected += 1 }
            }
        }
    }

    /// Takes a connection off a backlog; that of a scraper with a descriptor of the reserve, where
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

    /// Whether it has clearly more than its share of the sessions.
    private mutating func isAhead() -> Bool {
        guard context.workerCount > 1 else { return false }
        let share = context.totalLimiter.active / context.workerCount
        return sessions.count > share + 2 + share / 8
    }

    private mutating func giveBack(_ permit: AcceptPacer.Permit?, to listener: Listener) {
        if let permit { listener.pacer?.giveBack(permit) }
    }

    /// How many connections to take in this turn.
    ///
    /// One, and while there are more at the next turn twice as many each time; so that the call
    /// which finds nothing is not made for every connection that comes alone.
    private mutating func quota(of index: Int) -> Int {
        let isRepeated = acceptors[index].acceptedAt &+ 1 == tally.polls
        acceptors[index].quota =
            isRepeated ? min(2 * acceptors[index].quota, Self.acceptsPerTurn) : 1
        acceptors[index].acceptedAt = tally.polls
        return acceptors[index].quota
    }

    /// Begins a session for a connection that has its places, unless its source is refused.
    private mutating func admit(
        _ accepted: consuming ListeningSocket.Accepted,
        to listener: Listener,
        _ number: Int
    ) {
        let admission = admission(of: accepted.peer, to: listener)
        if case .refused = admission {
            note(number) { $0.denied += 1 }
            withdraw(listener, context.totalLimiter)
            accepted.socket.reset()
        } else if listener.service == .drop {
            note(number) { $0.accepted += 1 }
            withdraw(listener, context.totalLimiter)
            if case .admitted(true) = admission, let ip = accepted.peer?.ip {
                listener.sources?.leave(ip)
            }
        } else {
            listener.limiter.commit()
            context.totalLimiter.commit()
            begin(accepted, listener: number, admission)
        }
    }

    /// Puts this worker behind the others in the kernel's queue for a listening socket, once it has
    /// accepted its share or has more sessions than they.
    ///
    /// Of the workers that wait, the kernel wakes the one that was registered first. Without this,
    /// that worker would have all the sessions of a daemon that is not under load.
    mutating func rotate(_ index: Int) {
        guard context.workerCount > 1, acceptors.indices.contains(index),
            acceptors[index].taken > 0,
            acceptors[index].pauseReason == .none,
            let socket = acceptors[index].socket, socket.worker == nil,
            acceptors[index].taken >= Self.acceptsPerTenure || isAhead()
        else { return }
        acceptors[index].taken = 0
        do throws(Errno) {
            try socket.deregister(from: poll.registry)
            try socket.register(with: poll.registry, token: Tokens.acceptor(index))
        } catch {
            pause(index, because: .outOfResources, error)
        }
    }

    /// Watches the acceptors again that are paused for reasons of a kind.
    mutating func reopenAcceptors(_ wait: PauseReason.Wait) {
        if wait == .forResources { acceptorsRetryAt = .max }
        if wait == .forMoment { acceptorsResumeAt = .max }
        guard !isDraining else { return }
        for index in acceptors.indices {
            let pauseReason = acceptors[index].pauseReason
            guard pauseReason != .none, pauseReason.wait == wait,
                let socket = acceptors[index].socket
            else { continue }
            do throws(Errno) {
                try socket.register(with: poll.registry, token: Tokens.acceptor(index))
                setPauseReason(.none, at: index)
            } catch {
                retryAcceptors(after: acceptors[index].backOff)
            }
        }
    }

    /// Stops accepting for good.
    mutating func closeAcceptors() {
        for index in acceptors.indices where acceptors[index].pauseReason == .none {
            // A failure would leave the acceptor watched; accepting stops by the flag all the same.
            try? acceptors[index].socket?.deregister(from: poll.registry)
        }
        acceptors.removeAll()
    }

    private mutating func pause(_ index: Int, because reason: PauseReason, _ error: Errno? = nil) {
        do throws(Errno) {
            try acceptors[index].socket?.deregister(from: poll.registry)
        } catch {
            // Still watched: it is tried again at the next event.
            return context.logger.error(.outOfResources, "cannot pause a listener: \(error)")
        }
        setPauseReason(reason, at: index)
        if reason == .outOfResources {
            retryAcceptors(after: acceptors[index].backOff)
            acceptors[index].backOff = min(2 * acceptors[index].backOff, Self.longestBackOff)
        }
        if reason.wait != .forMoment { logPause(index, reason, error) }
    }

    /// Leaves connections in the backlog until the listener's rate allows for the next.
    private mutating func pause(_ index: Int, until nanosecond: UInt64) {
        pause(index, because: .acceptRate)
        acceptorsResumeAt = min(acceptorsResumeAt, nanosecond / 1_000_000 + 1)
    }

    mutating func retryAcceptors(after delay: UInt64) {
        acceptorsRetryAt = min(acceptorsRetryAt, serveContext.now + delay)
    }

    mutating func setPauseReason(_ reason: PauseReason, at index: Int) {
        acceptors[index].pauseReason = reason
        // A listener with several acceptors shows the first of their reasons that is one.
        let listener = acceptors[index].listener
        let reasons = acceptors.lazy.filter { $0.listener == listener }.map(\.pauseReason)
        let shown = reasons.first { $0 != .none } ?? .none
        guard context.listenerCounters[listener].pauseReason != shown else { return }
        context.listenerCounters[listener].pauseReason = shown
        announce(shown, of: listener)
    }

    private mutating func logPause(_ index: Int, _ reason: PauseReason, _ error: Errno?) {
        if let last = acceptors[index].loggedAt, serveContext.now - last < Self.logInterval {
            return
        }
        acceptors[index].loggedAt = serveContext.now
        let listener = context.listeners[acceptors[index].listener]
        let cause = error.map { ": \($0)" } ?? ""
        let total = context.totalLimiter.limit + listener.reserve
        let why = reason.description(limit: listener.limiter.limit, total: total)
        context.logger.warning(
            reason == .outOfResources ? .outOfResources : .listenerPaused,
            "listener paused, \(why)\(cause)",
            metadata: [
                "listener": "\(listener.name)",
                "address": "\(acceptors[index].socket?.address ?? "")",
            ]
        )
    }
}

extension PauseReason {
    /// The reason for people.
    package func description(limit: Int, total: Int) -> String {
        switch self {
        case .none: "accepting"
        case .listenerLimit: "the limit of \(limit) sessions is reached"
        case .totalLimit: "the limit of \(total) sessions in all is reached"
        case .outOfResources: "out of file descriptors or memory"
        case .acceptRate: "connections come faster than acceptRate"
        }
    }
}
