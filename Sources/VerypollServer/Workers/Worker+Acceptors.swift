internal import Logging
internal import SystemPackage
internal import Verypoll

// The sockets that the worker accepts from: watching them, pausing, and closing them.

extension Worker {
    /// The connections after which others have their turn at an acceptor.
    private static let acceptsPerTenure = 8

    /// The shortest time between two lines of the log on one acceptor, in milliseconds.
    private static let logInterval: UInt64 = 10_000

    /// How often the backlog is emptied before its socket is closed.
    private static let lastTurns = 128

    /// Puts this worker behind the others in the kernel's queue for a listening socket, once it has
    /// accepted its share or has more sessions than they.
    ///
    /// Of the workers that wait, the kernel wakes the one that was registered first. Without this,
    /// that worker would have all the sessions of a daemon that is not under load.
    mutating func rotate(_ index: Int) {
        guard context.workerCount > 1, let socket = acceptorList.socket(at: index),
            acceptorList.acceptors[index].taken > 0,
            acceptorList.acceptors[index].pauseReason == .none,
            socket.worker == nil,
            acceptorList.acceptors[index].taken >= Self.acceptsPerTenure || isAhead()
        else { return }
        acceptorList.acceptors[index].taken = 0
        do throws(Errno) {
            try socket.deregister(from: poll.registry)
            try socket.register(with: poll.registry, token: Tokens.acceptor(index))
        } catch {
            pause(index, because: .outOfResources, error)
        }
    }

    /// Watches the acceptors again that are paused for reasons of a kind.
    mutating func reopenAcceptors(_ wait: PauseReason.Wait) {
        let paused = acceptorList.takePaused(wait)
        guard !isDraining else { return }
        for index in paused {
            guard let socket = acceptorList.socket(at: index) else { continue }
            do throws(Errno) {
                try socket.register(with: poll.registry, token: Tokens.acceptor(index))
                setPauseReason(.none, at: index)
            } catch {
                acceptorList.retry(index, now: serveContext.now)
            }
        }
    }

    /// Stops accepting for good.
    mutating func closeAcceptors() {
        for index in acceptorList.acceptors.indices
        where acceptorList.acceptors[index].pauseReason == .none {
            // A failure would leave the acceptor watched; accepting stops by the flag all the same.
            try? acceptorList.acceptors[index].socket?.deregister(from: poll.registry)
        }
        acceptorList.acceptors.removeAll()
    }

    mutating func pause(_ index: Int, because reason: PauseReason, _ error: Errno? = nil) {
        do throws(Errno) {
            try acceptorList.acceptors[index].socket?.deregister(from: poll.registry)
        } catch {
            // Still watched: it is tried again at the next event.
            return context.logger.error(.outOfResources, "cannot pause a listener: \(error)")
        }
        setPauseReason(reason, at: index)
        if reason == .outOfResources {
            acceptorList.retry(index, now: serveContext.now)
            acceptorList.lengthenBackOff(of: index)
        }
        if reason.wait != .forMoment { logPause(index, reason, error) }
    }

    /// Leaves connections in the backlog until the listener's rate allows for the next.
    mutating func pause(_ index: Int, until nanosecond: UInt64) {
        pause(index, because: .acceptRate)
        acceptorList.resume(atNanosecond: nanosecond)
    }

    private mutating func setPauseReason(_ reason: PauseReason, at index: Int) {
        acceptorList.acceptors[index].pauseReason = reason
        let listener = acceptorList.acceptors[index].listener
        let shown = acceptorList.shownReason(of: listener)
        guard context.listenerCounters[listener].pauseReason != shown else { return }
        context.listenerCounters[listener].pauseReason = shown
        announce(shown, of: listener)
    }

    private mutating func logPause(_ index: Int, _ reason: PauseReason, _ error: Errno?) {
        if let last = acceptorList.acceptors[index].loggedAt,
            serveContext.now - last < Self.logInterval
        {
            return
        }
        acceptorList.acceptors[index].loggedAt = serveContext.now
        let listener = context.listeners[acceptorList.acceptors[index].listener]
        let cause = error.map { ": \($0)" } ?? ""
        let total = context.totalLimiter.limit + listener.reserve
        let why = reason.description(limit: listener.limiter.limit, total: total)
        context.logger.warning(
            reason == .outOfResources ? .outOfResources : .listenerPaused,
            "listener paused, \(why)\(cause)",
            metadata: [
                "listener": "\(listener.name)",
                "address": "\(acceptorList.acceptors[index].socket?.address ?? "")",
            ]
        )
    }

    /// Adds the acceptors that are new, and closes those that the snapshot does not have.
    mutating func arrangeAcceptors(_ wanted: [WorkerSnapshot.Acceptor]) {
        for index in acceptorList.acceptors.indices {
            guard let socket = acceptorList.acceptors[index].socket else { continue }
            if let acceptor = wanted.first(where: { $0.socket === socket }) {
                acceptorList.acceptors[index].listener = acceptor.listener
                setPauseReason(acceptorList.acceptors[index].pauseReason, at: index)
            } else {
                closeAcceptor(index)
            }
        }
        for acceptor in wanted where acceptorList.index(of: acceptor.socket) == nil {
            let index = acceptorList.add(
                Acceptor(listener: acceptor.listener, socket: acceptor.socket)
            )
            do throws(Errno) {
                try acceptor.socket.register(with: poll.registry, token: Tokens.acceptor(index))
            } catch {
                setPauseReason(.outOfResources, at: index)
                acceptorList.retry(index, now: serveContext.now)
            }
        }
    }

    /// Lets go of an acceptor, after the connections that wait there.
    ///
    /// Those of systemd's sockets wait for whoever comes next, as the sockets stay.
    private mutating func closeAcceptor(_ index: Int) {
        guard let socket = acceptorList.acceptors[index].socket else { return }
        if !socket.isActivated {
            for _ in 0..<Self.lastTurns {
                let taken = acceptorList.acceptors[index].taken
                accept(at: index)
                guard acceptorList.acceptors[index].taken != taken else { break }
            }
        }
        if acceptorList.acceptors[index].pauseReason == .none {
            // A failure would leave it watched until the last worker has closed it.
            try? socket.deregister(from: poll.registry)
        }
        setPauseReason(.none, at: index)
        acceptorList.acceptors[index].socket = nil
    }

    /// Tells those who monitor the daemon that this worker accepts on a listener, or why not.
    private mutating func announce(_ reason: PauseReason, of listener: Int) {
        guard context.sessionEvents.areWanted else { return }
        let name = context.listeners[listener].name
        let event = SessionEvents.Event(
            content: .pause(reason, worker: context.index, listener: name),
            timestamp: WallClock.microseconds()
        )
        context.sessionEvents.post(event)
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
