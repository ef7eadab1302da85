internal import Systemd
internal import VerypollServer

extension LiveConfiguration {
    /// Renews the snapshot from the current listeners, upstreams and drains.
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
            // Check the order: a new server may have the memory, and so the identifier, of a
            // removed one.
            let server = snapshot.upstreams[index]
            guard server.ordered == .drain else { continue }
            snapshot.drains.servers[index] = serverDrains[ObjectIdentifier(server)]
        }
    }

    /// Stops accepting on listeners, and ends their sessions within a window.
    mutating func drain(listeners names: Set<String>, _ window: DrainWindow) {
        for index in listeners.indices where names.contains(listeners[index].name) {
            listeners[index].drain = window
            // Sockets passed by systemd are kept, because the daemon cannot bind them again.
            leavingSockets += listeners[index].sockets.filter { !$0.isActivated }
            listeners[index].sockets.removeAll { !$0.isActivated }
        }
        renewSnapshot()
    }

    /// Resumes accepting on drained listeners once the exchange is committed; their sessions
    /// continue.
    ///
    /// - Throws: `ListenerError` if a socket cannot be opened. In that case, this value must not be
    ///   used.
    mutating func resume(
        listeners names: Set<String>,
        exchange: SocketExchange
    ) throws(ListenerError) {
        var none = ActivatedSockets([])
        exchange.offer(retiringSockets.map(\.socket))
        exchange.noteActivated(listeners.flatMap(\.sockets))
        for index in listeners.indices where names.contains(listeners[index].name) {
            let entry = listeners[index]
            guard entry.drain != nil else { continue }
            let sockets = try open(entry.configuration, besides: entry.sockets, exchange, &none)
            listeners[index].sockets = sockets
            listeners[index].addresses = sockets.addresses
            listeners[index].drain = nil
        }
        renewSnapshot()
    }

    /// Sets the order of a server; an order to drain ends its sessions within the window.
    mutating func order(_ server: UpstreamServer, _ order: ServerOrder, _ window: DrainWindow?) {
        set(order, of: server, window)
        renewSnapshot()
    }

    /// Applies the orders that the configuration has changed since they were last applied.
    ///
    /// - Parameter window: The period in which the sessions of drained servers end.
    /// - Returns: The servers whose order has changed, with their former orders.
    mutating func applyOrders(
        _ window: DrainWindow
    ) -> [(server: ServerIndex, former: ServerOrder)] {
        var changed: [(server: ServerIndex, former: ServerOrder)] = []
        for entry in upstreams {
            let upstream = upstream(of: entry)
            for (server, order) in upstream.newOrders() {
                let former = upstream.servers[server].ordered
                set(order, of: upstream.servers[server], order == .drain ? window : nil)
                changed.append((ServerIndex(upstream: entry.slot, server: server), former))
            }
        }
        if !changed.isEmpty { renewSnapshot() }
        return changed
    }

    /// Begins the drains of servers that the configuration has set to drain from the start.
    mutating func beginDrains(_ window: DrainWindow) {
        for entry in upstreams {
            for server in upstream(of: entry).listedServers where server.ordered == .drain {
                let server = ObjectIdentifier(server)
                if serverDrains[server] == nil { serverDrains[server] = window }
            }
        }
    }

    private mutating func set(
        _ order: ServerOrder,
        of server: UpstreamServer,
        _ window: DrainWindow?
    ) {
        if server.ordered == .down, order == .up {
            server.cameUp(now: MonotonicClock.milliseconds())
        }
        server.ordered = order
        serverDrains[ObjectIdentifier(server)] = window
    }

    /// Stops accepting on all listeners, or accepts again.
    mutating func setClosed(_ isClosed: Bool) {
        self.isClosed = isClosed
        renewSnapshot()
    }

    /// Releases all sockets, so that they close once the workers have released them too.
    mutating func releaseSockets() {
        for index in listeners.indices { listeners[index].sockets = [] }
        retiringSockets = []
        snapshot.acceptors = []
    }

    /// Returns the listeners that are new or differ from those of a former configuration.
    func listenersChanged(from former: LiveConfiguration) -> [LiveListener] {
        let former = Dictionary(named: former.listeners, by: \.name)
        return listeners.filter { former[$0.name]?.configuration != $0.configuration }
    }

    /// Returns the servers that a former configuration has and this one lacks, at every index that
    /// a session may still use for them.
    func serversLeft(by former: LiveConfiguration) -> [ServerIndex] {
        func current(_ live: LiveConfiguration) -> Set<ObjectIdentifier> {
            let servers = live.upstreams.flatMap { live.upstream(of: $0).listedServers }
            return Set(servers.map(ObjectIdentifier.init))
        }
        let before = current(former)
        let now = current(self)
        return former.snapshot.upstreams.serverIndices.filter { index in
            let server = ObjectIdentifier(former.snapshot.upstreams[index])
            return before.contains(server) && !now.contains(server)
        }
    }
}
