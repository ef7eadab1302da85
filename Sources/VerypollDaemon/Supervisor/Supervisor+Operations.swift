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
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        let request = Order.Request(callID: callID, caller: caller)
        try take(.drain(listener: listener, deadline: deadline, request))
        return .later
    }

    func resume(
        listener: String?,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        try take(.resume(listener: listener, Order.Request(callID: callID, caller: caller)))
        return .later
    }

    func setServer(
        _ setting: ServerSetting,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        try take(.configure(setting, Order.Request(callID: callID, caller: caller)))
        return .later
    }

    // MARK: Orders

    /// Carries out an order, or holds it until the change that is being made has ended.
    ///
    /// If there is no error, the caller is answered later.
    func take(_ order: Order) throws(VarlinkError) {
        guard !changes.hold(order) else { return }
        switch order {
        case .drain(let listener, let deadline, let request):
            try drain(listener, deadline, request)
        case .resume(let listener, let request):
            make(.resume(listener: listener, names: try names(of: listener), request))
        case .configure(let setting, let request): try configure(setting, request)
        case .stop(let signal): stop(for: signal)
        }
    }

    /// Carries out an order that was held, and answers its caller if that fails.
    func takeHeld(_ order: Order) {
        do throws(VarlinkError) {
            try take(order)
        } catch {
            guard let callID = order.callID else { return }
            control.complete(callID, with: Result<NoParameters, VarlinkError>.failure(error))
        }
    }

    private func drain(
        _ listener: String?,
        _ deadline: Duration?,
        _ request: Order.Request
    ) throws(VarlinkError) {
        let names = try names(of: listener)
        let length = deadline ?? loaded.configuration.drain.deadline
        let window = DrainWindow(
            from: MonotonicClock.milliseconds(),
            lasting: length.milliseconds
        )
        live.drain(listeners: names, window)
        noteDrain(.drainBegun, of: listener, by: request.caller)
        let target = listener.map { "the listener \($0)" } ?? "all listeners"
        logger.notice(
            .draining,
            "draining \(target) within \(length.timeSpan), ordered by \(request.caller)",
            metadata: metadata(of: listener, ["deadline": length.timeSpan]).by(request.caller)
        )
        rollOut(.order, for: [request.callID])
    }

    /// Accepts again on listeners whose sockets are opened, or answers with the reason why not.
    func finishResume(
        _ outcome: LiveChange.Outcome,
        of listener: String?,
        _ request: Order.Request
    ) {
        do throws(VarlinkError) {
            live = try resumed(outcome)
        } catch {
            let failure = Result<NoParameters, VarlinkError>.failure(error)
            return control.complete(request.callID, with: failure)
        }
        noteDrain(.drainEnded, of: listener, by: request.caller)
        let target = listener.map { "the listener \($0) accepts" } ?? "all listeners accept"
        logger.notice(
            .resumed,
            "\(target) again, ordered by \(request.caller)",
            metadata: metadata(of: listener).by(request.caller)
        )
        rollOut(.order, for: [request.callID])
    }

    private func resumed(_ outcome: LiveChange.Outcome) throws(VarlinkError) -> LiveConfiguration {
        guard lifecycle.isRunning else { throw .busy }
        do throws(ListenerError) {
            return try outcome.get()
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
    }

    // MARK: The configuration

    func reload(
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<ChangeList> {
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
        reload.request(for: callID, by: caller)
        return .later
    }

    func configurationCheck() -> ControlJob.Check {
        let check = ConfigurationCheck(
            present: loaded.configuration,
            descriptorLimit: (try? DescriptorLimit.soft()) ?? 0
        )
        return { text throws(VarlinkError) in try check.changes(in: text) }
    }

    func configuration() -> @Sendable () -> EffectiveConfiguration {
        { [loaded] in
            EffectiveConfiguration(config: loaded.configuration.effective, path: loaded.path)
        }
    }

    /// The log level, which all loggers share.
    var logLevel: Logger.Level { logger.logLevel }

    func setLogLevel(_ level: Int, by caller: Caller) {
        setLogLevel(Logger.Level(priority: level), by: caller)
    }

    func setLogLevel(_ level: Logger.Level, by caller: Caller? = nil) {
        let former = logger.logLevel
        var logger = logger
        logger.logLevel = level
        guard logger.logLevel != former else { return }
        logger.notice(
            .logLevelSet,
            "log level changed from \(former) to \(logger.logLevel)\(caller.suffix)",
            metadata: ["logLevel": "\(logger.logLevel)"].by(caller)
        )
        var event = MonitorEvent(.logLevelSet, timestampUSec: WallClock.microseconds())
        event.logLevel = logger.logLevel.rawValue
        event.caller = caller
        events.changes.note(event)
    }

    /// Returns the names of the listeners that a call is about: one, or all.
    private func names(of listener: String?) throws(VarlinkError) -> Set<String> {
        guard lifecycle.isRunning else { throw .busy }
        guard let listener else { return Set(live.listeners.map(\.name)) }
        guard live.listeners.contains(where: { $0.name == listener }) else {
            throw .listenerNotFound(listener)
        }
        return [listener]
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
