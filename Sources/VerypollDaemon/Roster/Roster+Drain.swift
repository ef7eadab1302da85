#if Net && OSExt
internal import Systemd

extension Roster {
    /// Makes the plan of what is in effect and what is drained.
    mutating func renewPlan() {
        plan.number += 1
        plan.doors = served.filter { $0.drain == nil && !isClosed }.flatMap { entry in
            entry.sockets.map { Plan.Door(listener: entry.slot, socket: $0) }
        }
        if !isClosed { plan.doors += retiringDoors }
        plan.drains = Drains()
        for entry in served {
            guard let window = entry.drain else { continue }
            for slot in [entry.slot] + entry.formerSlots { plan.drains.listeners[slot] = window }
        }
        // What a listener leaves behind that is gone ends as well, in its own time.
        for (slot, window) in left { plan.drains.listeners[slot] = window }
        for index in plan.upstreams.serverIndices {
            // Without the order, it is another server in the memory of one that is gone.
            let server = plan.upstreams[index]
            guard server.ordered == .drain else { continue }
            plan.drains.servers[index] = serverDrains[ObjectIdentifier(server)]
        }
    }

    /// Stops accepting on a listener, and ends its sessions in a time.
    ///
    /// - Returns: `false` if there is none of this name.
    mutating func drain(listener name: String, _ window: DrainWindow) -> Bool {
        guard let index = served.firstIndex(where: { $0.name == name }) else { return false }
        served[index].drain = window
        // Only systemd can bind those again.
        served[index].sockets.removeAll { !$0.isPassed }
        renewPlan()
        return true
    }

    /// Accepts again on a listener that was drained, once the exchange is committed; its sessions
    /// live on.
    ///
    /// - Returns: `false` if there is none of this name.
    /// - Throws: Why a socket cannot be had; nothing has changed then.
    mutating func resume(
        listener name: String,
        exchange: SocketExchange
    ) throws(ListenerError) -> Bool {
        guard let index = served.firstIndex(where: { $0.name == name }) else { return false }
        guard served[index].drain != nil else { return true }
        var none = ActivatedSockets([])
        exchange.offer(retiring.map(\.socket))
        exchange.noteActivated(served.flatMap(\.sockets))
        let entry = served[index]
        let sockets = try open(entry.configuration, besides: entry.sockets, exchange, &none)
        served[index].sockets = sockets
        served[index].addresses = sockets.addresses
        served[index].drain = nil
        renewPlan()
        return true
    }

    /// Orders a server, and ends its sessions in a time if that is what the order says.
    mutating func order(_ server: UpstreamServer, _ order: ServerOrder, _ window: DrainWindow?) {
        server.ordered = order
        serverDrains[ObjectIdentifier(server)] = window
        renewPlan()
    }

    /// Stops accepting everywhere, or accepts again.
    mutating func setClosed(_ isClosed: Bool) {
        self.isClosed = isClosed
        renewPlan()
    }

    /// Lets go of all sockets, so that they close when the workers have let go of them.
    mutating func releaseSockets() {
        for index in served.indices { served[index].sockets = [] }
        retiring = []
        plan.doors = []
    }

    /// The listeners that another roster had otherwise, or not at all.
    func listenersChanged(from former: Roster) -> [Served] {
        let former = Dictionary(named: former.served, by: \.name)
        return served.filter { former[$0.name]?.configuration != $0.configuration }
    }

    /// The servers that another roster had and this one has not, wherever a session may know them.
    func serversLeft(by former: Roster) -> [ServerIndex] {
        func current(_ roster: Roster) -> Set<ObjectIdentifier> {
            Set(roster.pools.flatMap { roster.upstream(of: $0).servers.map(ObjectIdentifier.init) })
        }
        let before = current(former)
        let now = current(self)
        return former.plan.upstreams.serverIndices.filter { index in
            let server = ObjectIdentifier(former.plan.upstreams[index])
            return before.contains(server) && !now.contains(server)
        }
    }
}
#endif
