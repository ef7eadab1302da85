internal import SystemPackage
internal import Verypoll

extension Worker {
    /// How often what waits in a backlog is looked for before its socket is closed.
    private static let lastTurns = 128

    /// Works by a snapshot from now on; sessions keep the listener and the upstream that they have.
    package mutating func adopt(_ snapshot: WorkerSnapshot) {
        publish()
        install(snapshot)
        drains = snapshot.drains
        guard !isDraining else { return }  // The acceptors are closed for good.
        arrangeAcceptors(
            snapshot.acceptors.filter { ($0.socket.worker ?? context.index) == context.index }
        )
        hasten()
        // A higher limit is as good as sessions that have left.
        retryHeld()
        reopenAcceptors(.forSessions)
        publish()
        context.supervisor.post(.adopted(snapshot: snapshot.number))
    }

    /// Takes a snapshot's tables, without anything that may fail.
    mutating func install(_ snapshot: WorkerSnapshot) {
        for slot in snapshot.listeners.indices {
            if slot == tallies.count {
                tallies.append(ListenerTally())
            } else if snapshot.listeners[slot] !== context.listeners[slot] {
                tallies[slot] = ListenerTally()
            }
        }
        context.listeners = snapshot.listeners
        context.listenerCounters = snapshot.listeners.map { $0.counters[context.index] }
        context.upstreams = snapshot.upstreams
        serverTallies.adopt(snapshot.upstreams, worker: context.index)
        context.chainedPorts = snapshot.chainedPorts
        context.logsSessions = snapshot.logsSessions
        context.drainDeadline = snapshot.drainDeadline
        serveContext.splicePipes.limit = snapshot.pipeLimit
        dirtyListeners.reserveCapacity(snapshot.listeners.count)
    }

    /// Ends the sessions that are drained in time: their timers are set for the time before.
    mutating func hasten() {
        guard !drains.isEmpty else { return }
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index) else { continue }
            if drains.moment(for: sessions[key]) != nil { bringForward(key) }
        }
    }

    /// Adds the acceptors that are new, and closes those that the snapshot does not have.
    mutating func arrangeAcceptors(_ wanted: [WorkerSnapshot.Acceptor]) {
        for index in acceptors.indices {
            guard let socket = acceptors[index].socket else { continue }
            if let acceptor = wanted.first(where: { $0.socket === socket }) {
                acceptors[index].listener = acceptor.listener
                setPauseReason(acceptors[index].pauseReason, at: index)
            } else {
                closeAcceptor(index)
            }
        }
        for acceptor in wanted where !acceptors.contains(where: { $0.socket === acceptor.socket }) {
            let index = acceptors.firstIndex { $0.socket == nil } ?? acceptors.endIndex
            let opened = Acceptor(listener: acceptor.listener, socket: acceptor.socket)
            if index == acceptors.endIndex {
                acceptors.append(opened)
            } else {
                acceptors[index] = opened
            }
            do throws(Errno) {
                try acceptor.socket.register(with: poll.registry, token: Tokens.acceptor(index))
            } catch {
                setPauseReason(.outOfResources, at: index)
                retryAcceptors(after: acceptors[index].backOff)
            }
        }
    }

    /// Lets go of an acceptor, after the connections that wait there.
    ///
    /// Those of systemd's sockets wait for whoever comes next, as the sockets stay.
    private mutating func closeAcceptor(_ index: Int) {
        guard let socket = acceptors[index].socket else { return }
        if !socket.isActivated {
            for _ in 0..<Self.lastTurns {
                let taken = acceptors[index].taken
                accept(at: index)
                guard acceptors[index].taken != taken else { break }
            }
        }
        if acceptors[index].pauseReason == .none {
            // A failure would leave it watched until the last worker has closed it.
            try? socket.deregister(from: poll.registry)
        }
        setPauseReason(.none, at: index)
        acceptors[index].socket = nil
    }
}
