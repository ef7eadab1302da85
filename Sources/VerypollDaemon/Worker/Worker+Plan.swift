#if Net && OSExt
internal import SystemPackage
internal import Verypoll

extension Worker {
    /// How often what waits in a backlog is looked for before its socket is closed.
    private static let lastTurns = 128

    /// Works by a plan from now on; sessions keep the listener and the upstream that they have.
    mutating func adopt(_ plan: Plan) {
        publish()
        install(plan)
        drains = plan.drains
        guard !isDraining else { return }  // The doors are closed for good.
        arrangeDoors(plan.doors.filter { ($0.socket.worker ?? context.index) == context.index })
        hasten()
        // A higher limit is as good as sessions that have left.
        retryHeld()
        reopenDoors(.forSessions)
        publish()
        context.supervisor.post(.adopted(plan: plan.number))
    }

    /// Takes a plan's tables, without anything that may fail.
    mutating func install(_ plan: Plan) {
        for slot in plan.listeners.indices {
            if slot == tallies.count {
                tallies.append(ListenerTally())
            } else if plan.listeners[slot] !== context.listeners[slot] {
                tallies[slot] = ListenerTally()
            }
        }
        context.listeners = plan.listeners
        context.listenerCounters = plan.listeners.map { $0.counters[context.index] }
        context.upstreams = plan.upstreams
        serverTallies.adopt(plan.upstreams, worker: context.index)
        context.chainedPorts = plan.chainedPorts
        context.logsSessions = plan.logsSessions
        context.drainDeadline = plan.drainDeadline
        bench.conduits.limit = plan.pipeLimit
        dirtyListeners.reserveCapacity(plan.listeners.count)
    }

    /// Ends the sessions that are drained in time: their timers are set for the time before.
    mutating func hasten() {
        guard !drains.isEmpty else { return }
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index) else { continue }
            if drains.moment(for: sessions[key]) != nil { bringForward(key) }
        }
    }

    /// Opens the doors that are new, closes those that are not in the plan, and leaves the others.
    mutating func arrangeDoors(_ wanted: [Plan.Door]) {
        for index in doors.indices {
            guard let socket = doors[index].socket else { continue }
            if let door = wanted.first(where: { $0.socket === socket }) {
                doors[index].listener = door.listener
                setPauseReason(doors[index].pauseReason, at: index)
            } else {
                closeDoor(index)
            }
        }
        for door in wanted where !doors.contains(where: { $0.socket === door.socket }) {
            let index = doors.firstIndex { $0.socket == nil } ?? doors.endIndex
            let opened = Door(listener: door.listener, socket: door.socket)
            if index == doors.endIndex { doors.append(opened) } else { doors[index] = opened }
            do throws(Errno) {
                try door.socket.register(with: poll.registry, token: Tokens.door(index))
            } catch {
                setPauseReason(.outOfResources, at: index)
                retryDoors(after: doors[index].backOff)
            }
        }
    }

    /// Lets go of a door, after the connections that wait there.
    ///
    /// Those of systemd's sockets wait for whoever comes next, as the sockets stay.
    private mutating func closeDoor(_ index: Int) {
        guard let socket = doors[index].socket else { return }
        if !socket.isPassed {
            for _ in 0..<Self.lastTurns {
                let taken = doors[index].taken
                accept(at: index)
                guard doors[index].taken != taken else { break }
            }
        }
        if doors[index].pauseReason == .none {
            // A failure would leave it watched until the last worker has closed it.
            try? socket.deregister(from: poll.registry)
        }
        setPauseReason(.none, at: index)
        doors[index].socket = nil
    }
}
#endif
