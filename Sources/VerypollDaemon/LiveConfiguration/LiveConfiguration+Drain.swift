internal import Systemd
internal import VerypollServer

extension LiveConfiguration {
    /// Makes the snapshot of what is in effect and what is drained.
    mutating func renewSnapshot() {
        snapshot.number += 1
        snapshot.acceptors = listeners.filter { $0.drain == nil && !isClosed }.flatMap { entry in
            entry.sockets.map { WorkerSnapshot.Acceptor(listener: entry.slot, socket: $0) }
        }
        if !isClosed { snapshot.acceptors += retiringAcceptors }
        snapshot.drains = Drains()
        for entry in listeners {
            guard let window = entry.drain else { continue }
            for slot in [entry.slot] + entry.formerSlots {
                snapshot.drains.listeners[slot] = window
            }
        }
        // The sessions of a removed listener end as well, in a window of their own.
        for (slot, window) in retiringListeners { snapshot.drains.listeners[slot] = window }
        for index in snapshot.upstreams.serverIndices {
            // Without the order, it is another server in the memory of one that is gone.
            let server = snapshot.upstreams[index]
            guard server.ordered == .drain else { continue }
            snapshot.drains.servers[index] = serverDrains[ObjectIdentifier(server)]
        }
    }

    /// Stops accepting on a listener, and ends its sessions in a time.
    ///
    /// - Returns: `false` if there is none of this name.
    mutating func drain(listener name: String, _ window: DrainWindow) -> Bool {
        guard let index = listeners.firstIndex(where: { $0.name == name }) else { return false }
        listeners[index].drain = window
        // Only systemd can bind those again.
        listeners[index].sockets.removeAll { !$0.isActivated }
        renewSnapshot()
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
        guard let index = listeners.firstIndex(where: { $0.name == name }) else { return false }
        guard listeners[index].drain != nil else { return true }
        var none = ActivatedSockets([])
        exchange.offer(retiringSockets.map(\.socket))
        exchange.noteActivated(listeners.flatMap(\.sockets))
        let entry = listeners[index]
        let sockets = try open(entry.configuration, besides: entry.sockets, exchange, &none)
        listeners[index].sockets = sockets
        listeners[index].addresses = sockets.addresses
        listeners[index].drain = nil
        renewSnapshot()
        return true
    }

    /// Orders a server, and ends its sessions in a time if that is what the order says.
    mutating func order(_ server: UpstreamServer, _ order: ServerOrder, _ window: DrainWindow?) {
        server.ordered = order
        serverDrains[ObjectIdentifier(server)] = window
        renewSnapshot()
    }

    /// Stops accepting everywhere, or accepts again.
    mutating func setClosed(_ isClosed: Bool) {
        self.isClosed = isClosed
        renewSnapshot()
    }

    /// Lets go of all sockets, so that they close when the workers have let go of them.
    mutating func releaseSockets() {
        for index in listeners.indices { listeners[index].sockets = [] }
        retiringSockets = []
        snapshot.acceptors = []
    }

    /// The listeners that another configuration had otherwise, or not at all.
    func listenersChanged(from former: LiveConfiguration) -> [LiveListener] {
        let former = Dictionary(named: former.listeners, by: \.name)
        return listeners.filter { former[$0.name]?.configuration != $0.configuration }
    }

    /// The servers that another configuration had and this one has not, wherever a session may know
    /// them.
    func serversLeft(by former: LiveConfiguration) -> [ServerIndex] {
        func current(_ live: LiveConfiguration) -> Set<ObjectIdentifier> {
            Set(live.upstreams.flatMap { live.upstream(of: $0).servers.map(ObjectIdentifier.init) })
        }
        let before = current(former)
        let now = current(self)
        return former.snapshot.upstreams.serverIndices.filter { index in
            let server = ObjectIdentifier(former.snapshot.upstreams[index])
            return before.contains(server) && !now.contains(server)
        }
    }
}
