internal import Logging
internal import Varlink
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// The calls about sessions, the calls that change something, and the check of their permission.

extension ControlServer {
    /// Checks the permission of a client, and logs a refusal.
    ///
    /// - Throws: ``VarlinkError/permissionDenied``.
    mutating func check(
        _ client: ControlClient,
        mayCall method: String,
        with permission: Permission
    ) throws(VarlinkError) {
        guard client.permission < permission else { return }
        if let unlogged = denialLog.admit(now: .now) {
            let caller = client.caller
            let rest = unlogged > 0 ? " (\(unlogged) earlier refusals are not logged)" : ""
            logger.warning(
                .callRefused,
                "refused \(method) to \(caller): no permission\(rest)",
                metadata: ["method": "\(method)", "unlogged": .number(unlogged)].by(caller)
            )
        }
        throw .permissionDenied
    }

    func performOnSessions(
        _ method: DaemonInterface.Method,
        _ call: Call,
        of client: ControlClient,
        callID: CallID,
        handler: some ControlHandler
    ) throws(VarlinkError) {
        switch method {
        case .listSessions:
            let query = try call.parameters(as: SessionQuery.self)
            guard SessionQuery.limits.contains(query.effectiveLimit) else {
                throw .invalidParameter("limit")
            }
            reply(try handler.sessions(matching: query, callID: callID), to: client)
        case .getSession:
            let session = try call.parameters(as: SessionID.self)
            reply(try handler.session(session.id, callID: callID), to: client)
        case .killSessions:
            let request = try call.parameters(as: KillRequest.self)
            guard request.isClear else { throw .invalidParameter("all") }
            let answer = try handler.killSessions(request, callID: callID, by: client.caller)
            reply(answer, to: client)
        default:
            let session = try call.parameters(as: SessionID.self)
            let answer = try handler.killSession(session.id, callID: callID, by: client.caller)
            reply(answer, to: client)
        }
    }

    func operate(
        _ method: DaemonInterface.Method,
        _ call: Call,
        of client: ControlClient,
        callID: CallID,
        handler: some ControlHandler
    ) throws(VarlinkError) {
        switch method {
        case .drain:
            let request = try call.parameters(as: DrainRequest.self)
            let answer = try handler.drain(
                listener: request.listener,
                deadline: try request.duration,
                callID: callID,
                by: client.caller
            )
            reply(answer, to: client)
        case .resume:
            let request = try call.parameters(as: ResumeRequest.self)
            let answer = try handler.resume(
                listener: request.listener,
                callID: callID,
                by: client.caller
            )
            reply(answer, to: client)
        case .setServer:
            let setting = try call.parameters(as: ServerSetting.self)
            if let weight = setting.weight, !ServerSetting.weights.contains(weight) {
                throw .invalidParameter("weight")
            }
            guard setting.state != nil || setting.weight != nil else {
                throw .invalidParameter("state")
            }
            let answer = try handler.setServer(setting, callID: callID, by: client.caller)
            reply(answer, to: client)
        default:
            _ = try call.parameters(as: NoParameters.self)
            reply(try handler.reload(callID: callID, by: client.caller), to: client)
        }
    }

    mutating func perform(
        _ method: SystemdInterface.Method,
        _ call: Call,
        of client: ControlClient,
        callID: CallID,
        handler: some ControlHandler
    ) throws(VarlinkError) {
        try check(client, mayCall: method.rawValue, with: method.permission)
        switch method {
        case .ping:
            _ = try call.parameters(as: NoParameters.self)
            client.connection.reply(NoParameters())
        case .setLogLevel:
            let setting = try call.parameters(as: LogLevelSetting.self)
            guard LogLevelSetting.levels.contains(setting.level) else {
                throw .invalidParameter("level")
            }
            handler.setLogLevel(setting.level, by: client.caller)
            client.connection.reply(NoParameters())
        case .reload:
            _ = try call.parameters(as: NoParameters.self)
            switch try handler.reload(callID: callID, by: client.caller) {
            case .now: client.connection.reply(NoParameters())
            // The handler's later answer has values that are not in this interface.
            case .later: client.callWithoutValues = callID.call
            }
        }
    }
}

extension DrainRequest {
    /// The requested deadline; `nil` if the request has none.
    fileprivate var duration: Duration? {
        get throws(VarlinkError) {
            guard let deadline else { return nil }
            do throws(InvalidValue) {
                return try Duration(timeSpan: deadline)
            } catch {
                throw .invalidParameter("deadline")
            }
        }
    }
}
