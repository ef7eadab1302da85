internal import Logging
internal import StrictJSON
internal import Synchronization
internal import SystemPackage
internal import Systemd
internal import Varlink
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// Operations on listeners, servers and the configuration. A call is answered once all workers have
// adopted the change, so that the caller can rely on it.

extension Supervisor {
    func drain(
        listener: String?,
        deadline: Duration?,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        let names = try names(of: listener)
        let length = deadline ?? loaded.configuration.drain.deadline
        let window = DrainWindow(
            from: MonotonicClock.milliseconds(),
            lasting: length.milliseconds
        )
        for name in names { _ = live.drain(listener: name, window) }
        noteListeners()
        logger.notice(
            .draining,
            listener.map { "draining the listener \($0)" } ?? "draining all listeners",
            metadata: metadata(of: listener, ["deadline": length.timeSpan])
        )
        rollOut(.order, for: [callID])
        return .later
    }

    func resume(
        listener: String?,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        let names = try names(of: listener)
        var candidate = live
        let exchange = SocketExchange(live.handoffStore, logger: logger)
        do throws(ListenerError) {
            for name in names { _ = try candidate.resume(listener: name, exchange: exchange) }
            try exchange.commit()
        } catch {
            let problem = Problem(
                file: loaded.path ?? "the built-in default",
                line: nil,
                column: nil,
                pointer: JSONPointer(["listeners", error.listener, "listen"]).description,
                message: "\(error.address): \(error.reason)"
            )
            throw .reloadFailed([problem])
        }
        live = candidate
        noteListeners()
        logger.notice(
            .resumed,
            listener.map { "the listener \($0) accepts again" } ?? "all listeners accept again",
            metadata: metadata(of: listener)
        )
        rollOut(.order, for: [callID])
        return .later
    }

    func setServer(
        _ setting: ServerSetting,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        guard let pool = live.upstreams.first(where: { $0.configuration.name == setting.upstream })
        else { throw .upstreamNotFound(setting.upstream) }
        let servers = live.upstream(of: pool).servers
        guard let place = servers.firstIndex(where: { $0.name == setting.server }) else {
            throw .serverNotFound(setting.server, of: setting.upstream)
        }
        let server = servers[place]
        let index = ServerIndex(upstream: pool.slot, server: place)
        let former = upstreamMonitor.status(of: index)
        if let weight = setting.weight { server.weight.store(weight, ordering: .relaxed) }
        if let mode = setting.state { order(server, mode) }
        noteOrder(to: index, former: former)
        logger.notice(
            .serverSet,
            "\(server.name) is set to \(server.mode.rawValue), weight \(server.currentWeight)",
            metadata: ["upstream": "\(setting.upstream)", "server": "\(server.name)"]
        )
        rollOut(.order, for: [callID])
        return .later
    }

    func reload(callID: CallID) throws(VarlinkError) -> ControlAnswer<ChangeList> {
        switch lifecycle.phase {
        case .starting, .running: break
        case .draining, .stopping:
            let problem = Problem(
                file: loaded.path ?? "the built-in default",
                line: nil,
                column: nil,
                pointer: "",
                message: "the daemon is stopping"
            )
            throw .reloadFailed([problem])
        }
        reload.request(for: callID)
        return .later
    }

    func configurationCheck() -> ControlJob.Check {
        let check = ConfigurationCheck(
            present: loaded.configuration,
            descriptorLimit: (try? DescriptorLimit.soft()) ?? 0
        )
        return { text throws(VarlinkError) in try check.changes(in: text) }
    }

    func start(_ job: ControlJob) {
        control.start(job) { [mailbox = inbox.mailbox] result in
            mailbox.postBeyondLimit(.controlJob(result))  // One job runs at a time.
        }
    }

    func configuration() -> @Sendable () -> EffectiveConfiguration {
        { [loaded] in
            EffectiveConfiguration(config: loaded.configuration.effective, path: loaded.path)
        }
    }

    /// The log level, which all loggers share.
    var logLevel: Logger.Level { logger.logLevel }

    func setLogLevel(_ level: Int) {
        setLogLevel(Logger.Level(priority: level))
    }

    func setLogLevel(_ level: Logger.Level) {
        let former = logger.logLevel
        var logger = logger
        logger.logLevel = level
        guard logger.logLevel != former else { return }
        logger.notice("log level changed from \(former) to \(logger.logLevel)")
    }

    /// Returns the names of the listeners that a call is about: one, or all.
    private func names(of listener: String?) throws(VarlinkError) -> [String] {
        guard lifecycle.isRunning else { throw .busy }
        guard let listener else { return live.listeners.map(\.name) }
        guard live.listeners.contains(where: { $0.name == listener }) else {
            throw .listenerNotFound(listener)
        }
        return [listener]
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
        for message in live.snapshot.upstreams.healthMessages(of: server) { workers.post(message) }
        if mode == .up { workers.postOnce(.serversChanged) }
    }

    private func metadata(
        of listener: String?,
        _ others: KeyValuePairs<String, String> = [:]
    ) -> Logger.Metadata {
        var metadata: Logger.Metadata = [:]
        if let listener { metadata["listener"] = "\(listener)" }
        for (key, value) in others { metadata[key] = "\(value)" }
        return metadata
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

extension UpstreamServer {
    /// The mode that the operator has set.
    var mode: Status.Server.Mode {
        switch ordered {
        case .up: .up
        case .drain: .drain
        case .down: .down
        }
    }

    fileprivate var currentWeight: Int { weight.load(ordering: .relaxed) }
}
