internal import Logging
internal import Synchronization
internal import Varlink
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// The modes and weights of servers, which operators and reloads set.

extension Supervisor {
    /// Sets the mode and the weight of a server as an operator has ordered.
    func configure(
        _ setting: ServerSetting,
        _ request: Order.Request
    ) throws(VarlinkError) {
        guard let pool = live.upstreams.first(where: { $0.configuration.name == setting.upstream })
        else { throw .upstreamNotFound(setting.upstream) }
        let upstream = live.upstream(of: pool)
        let place = upstream.listed.first { upstream.servers[$0].name == setting.server }
        guard let place else { throw .serverNotFound(setting.server, of: setting.upstream) }
        let server = upstream.servers[place]
        let index = ServerIndex(upstream: pool.slot, server: place)
        let former = upstreamMonitor.status(of: index)
        if let weight = setting.weight { server.weight.store(weight, ordering: .relaxed) }
        if let mode = setting.state { order(server, mode) }
        noteOrder(to: index, former: former, by: request.caller)
        let state = "\(server.mode.rawValue), weight \(server.currentWeight)"
        logger.notice(
            .serverSet,
            "\(setting.upstream)/\(server.name) is set to \(state) by \(request.caller)",
            metadata: ["upstream": "\(setting.upstream)", "server": "\(server.name)"]
                .by(request.caller)
        )
        rollOut(.order, for: [request.callID])
    }

    private func order(_ server: UpstreamServer, _ mode: Status.Server.Mode) {
        var window: DrainWindow?
        if mode == .drain {
            window = DrainWindow(
                from: MonotonicClock.milliseconds(),
                lasting: loaded.configuration.drain.deadline.milliseconds
            )
        }
        live.order(server, ServerOrder(mode), window)
        tellWorkers(of: server)
        if mode == .up { workers.postOnce(.serversChanged) }
    }

    /// Reports to the workers whether a server is out of service.
    private func tellWorkers(of server: UpstreamServer) {
        let indices = live.snapshot.upstreams.indicesByServer[ObjectIdentifier(server)] ?? []
        workers.post(server.isOutOfService ? .serversDown(indices) : .serversUp(indices))
    }

    /// Applies the modes of servers that a reload has changed; a mode that the file has not changed
    /// stays as an operator has set it.
    ///
    /// - Returns: The servers whose modes have changed, with their former modes.
    func applyOrders(
        _ configuration: Configuration
    ) -> [(server: ServerIndex, former: ServerOrder)] {
        let window = DrainWindow(
            from: MonotonicClock.milliseconds(),
            lasting: configuration.drain.deadline.milliseconds
        )
        return live.applyOrders(window)
    }

    /// Reports a mode of a server that a reload has changed.
    func tellOfOrder(_ index: ServerIndex, former: ServerOrder) {
        let upstream = live.snapshot.upstreams[index.upstream]
        let server = upstream.servers[index.server]
        tellWorkers(of: server)
        let name = live.snapshot.upstreams.name(of: index)
        let state = "\(server.mode.rawValue) by the configuration, weight \(server.currentWeight)"
        logger.notice(
            .serverSet,
            "\(name) is set to \(state)",
            metadata: live.snapshot.upstreams.metadata(of: index)
        )
        noteMode(of: index, former: Status.Server.Mode(former))
    }
}

extension ServerOrder {
    fileprivate init(_ mode: Status.Server.Mode) {
        self =
            switch mode {
            case .up: .up
            case .drain: .drain
            case .down: .down
            }
    }
}

extension Status.Server.Mode {
    fileprivate init(_ order: ServerOrder) {
        self =
            switch order {
            case .up: .up
            case .drain: .drain
            case .down: .down
            }
    }
}

extension UpstreamServer {
    /// The mode that the operator has set.
    var mode: Status.Server.Mode { Status.Server.Mode(ordered) }

    fileprivate var currentWeight: Int { weight.load(ordering: .relaxed) }
}
