internal import Logging
internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

// The sockets that the worker accepts from: watching, pausing and closing them.

extension Worker {
    /// How many connections a worker accepts before it moves to the end of the kernel's queue.
    private static let acceptsPerTenure = 8

    /// The most acceptors that a worker opens and closes in a turn.
    private static let changesPerTurn = 32

    /// The most accept rounds on a backlog before its socket is closed.
    private static let lastTurns = 128

    /// Moves this worker to the end of the kernel's queue for a listening socket, once it has
    /// accepted its share or has more sessions than the others.
    ///
    /// Of the waiting workers, the kernel wakes the one that registered first. Without this
    /// function, that worker would get all sessions of a daemon that is not under load.
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

    /// Resumes watching the acceptors that wait for this event.
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

    /// Stops accepting until the process ends.
    mutating func closeAcceptors() {
        for index in acceptorList.acceptors.indices
        where acceptorList.acceptors[index].pauseReason == .none {
            // After a failure the acceptor stays watched, but its events are ignored.
            try? acceptorList.acceptors[index].socket?.deregister(from: poll.registry)
        }
        for report in acceptorList.removeAll() { context.supervisor.post(report) }
    }

    mutating func pause(_ index: Int, because reason: PauseReason, _ error: Errno? = nil) {
        do throws(Errno) {
            try acceptorList.acceptors[index].socket?.deregister(from: poll.registry)
        } catch {
            // The acceptor is still watched, so the worker tries again at the next event.
            return context.logger.error(
                .outOfResources,
                "cannot pause listener \(listenerName(index)): \(error)",
                metadata: [
                    "listener": "\(listenerName(index))",
                    "address": "\(acceptorList.acceptors[index].socket?.address ?? "")",
                ]
            )
        }
        setPauseReason(reason, at: index)
        if reason == .outOfResources {
            acceptorList.retry(index, now: serveContext.now)
            acceptorList.lengthenBackOff(of: index)
        }
        if reason.wait != .forMoment { logPause(index, reason, error) }
    }

    /// Leaves connections in the backlog until the listener's rate allows the next one.
    mutating func pause(_ index: Int, until nanosecond: UInt64) {
        pause(index, because: .acceptRate)
        acceptorList.resume(atNanosecond: nanosecond)
    }

    private mutating func setPauseReason(_ reason: PauseReason, at index: Int) {
        guard acceptorList.acceptors[index].pauseReason != reason else { return }
        acceptorList.acceptors[index].pauseReason = reason
        if reason == .none { acceptorList.noteResumed(index, now: serveContext.now) }
        let listener = acceptorList.acceptors[index].listener
        show(acceptorList.shownReason(of: listener), of: listener)
    }

    private mutating func show(_ reason: PauseReason, of listener: Int) {
        guard context.listenerCounters[listener].pauseReason != reason else { return }
        context.listenerCounters[listener].pauseReason = reason
        announce(reason, of: listener)
    }

    private mutating func logPause(_ index: Int, _ reason: PauseReason, _ error: Errno?) {
        guard acceptorList.acceptors[index].pauseLog.begin(now: serveContext.now) else { return }
        let listener = context.listeners[acceptorList.acceptors[index].listener]
        let cause = error.map { ": \($0)" } ?? ""
        let total = context.totalLimiter.limit + listener.reserve
        let why = reason.description(limit: listener.limiter.limit, total: total)
        let address = acceptorList.acceptors[index].socket?.address ?? ""
        context.logger.warning(
            reason == .outOfResources ? .outOfResources : .listenerPaused,
            "listener \(listener.name) paused on \(address): \(why)\(cause)",
            metadata: ["listener": "\(listener.name)", "address": "\(address)"]
        )
    }

    /// Logs that listeners accept again after a pause that was logged.
    mutating func logResumed() {
        for (index, pause) in acceptorList.takePauses(now: serveContext.now) {
            let name = listenerName(index)
            let address = acceptorList.acceptors[index].socket?.address ?? ""
            let span = Duration.milliseconds(pause.duration).timeSpan
            let times = pause.count > 1 ? " (\(pause.count) pauses)" : ""
            context.logger.notice(
                .listenerResumed,
                "listener \(name) accepts again on \(address) after \(span)\(times)",
                metadata: [
                    "listener": "\(name)",
                    "address": "\(address)",
                    "pausedMsec": .number(pause.duration),
                ]
            )
        }
    }

    private mutating func listenerName(_ index: Int) -> String {
        context.listeners[acceptorList.acceptors[index].listener].name
    }

    /// Begins to change the acceptors to those of a snapshot; see ``changeAcceptors()``.
    ///
    /// - Parameters:
    ///   - snapshot: The snapshot, which the worker has already installed.
    ///   - report: The report to send to the supervisor once all acceptors are changed.
    mutating func changeAcceptors(to snapshot: WorkerSnapshot, report: WorkerReport) {
        let wanted = snapshot.acceptors.filter {
            ($0.socket.worker ?? context.index) == context.index
        }
        acceptorList.change(to: wanted, report: report)
        for (listener, reason) in acceptorList.shownReasons { show(reason, of: listener) }
    }

    /// Makes the next changes to the acceptors.
    ///
    /// A snapshot may open or close thousands of sockets. The worker makes a few changes per turn,
    /// so that sessions are served in between.
    mutating func changeAcceptors() {
        for _ in 0..<Self.changesPerTurn {
            guard let change = acceptorList.nextChange() else { break }
            switch change {
            case .close(let index): closeAcceptor(index)
            case .open(let acceptor): open(acceptor)
            }
        }
        guard !acceptorList.isChanging else { return }
        // The supervisor reads the counts once it has the reports.
        publish()
        for report in acceptorList.takeReports() { context.supervisor.post(report) }
    }

    private mutating func open(_ acceptor: WorkerSnapshot.Acceptor) {
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

    /// Closes an acceptor after accepting the connections in its backlog.
    ///
    /// Sockets passed by systemd stay open, so their connections wait for the next process.
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
            // After a failure the socket stays watched until the last worker has closed it.
            try? socket.deregister(from: poll.registry)
        }
        setPauseReason(.none, at: index)
        acceptorList.remove(at: index)
    }

    /// Reports that this worker accepts on a listener, or why it does not, if anyone wants to know.
    private mutating func announce(_ reason: PauseReason, of listener: Int) {
        let events = context.sessionEvents
        guard events.areWanted || events.arePausesWanted else { return }
        let name = context.listeners[listener].name
        let event = SessionEvents.Event(
            content: .pause(reason, worker: context.index, listener: name),
            timestamp: WallClock.microseconds()
        )
        events.post(event)
    }
}

extension PauseReason {
    /// Returns the reason as a text for operators.
    package func description(limit: Int, total: Int) -> String {
        switch self {
        case .none: "accepting"
        case .listenerLimit: "the limit of \(limit) sessions is reached"
        case .totalLimit: "the limit of \(total) sessions in all is reached"
        case .outOfResources: "out of file descriptors or memory"
        case .acceptRate: "connections arrive faster than acceptRate"
        }
    }
}
