internal import Varlink
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension ControlServer {
    /// Returns the type of a method's parameters; `nil` if the method is not one of the daemon's.
    static func parametersType(of method: String) -> (any CallParameters.Type)? {
        if let method = SystemdInterface.Method(rawValue: method) {
            return switch method {
            case .ping, .reload: NoParameters.self
            case .setLogLevel: LogLevelSetting.self
            }
        }
        if MetricsInterface.Method(rawValue: method) != nil { return NoParameters.self }
        return switch DaemonInterface.Method(rawValue: method) {
        case nil: nil
        case .getStatus, .listListeners, .listUpstreams, .listRoutes, .getMetrics, .getConfig,
            .monitor, .reload:
            NoParameters.self
        case .checkConfig: ConfigurationText.self
        case .listSessions: SessionQuery.self
        case .getSession, .killSession: SessionID.self
        case .killSessions: KillRequest.self
        case .drain: DrainRequest.self
        case .resume: ResumeRequest.self
        case .setServer: ServerSetting.self
        case .rankServers: RankingRequest.self
        }
    }

    /// Answers a call, or passes its ID to the handler, which answers later.
    mutating func answer(
        _ call: Call,
        of client: ControlClient,
        callID: CallID,
        handler: some ControlHandler
    ) {
        do throws(VarlinkError) {
            switch try service.route(call) {
            case .info(let info):
                client.connection.reply(info)
            case .description(let description):
                client.connection.reply(description)
            case .method(let name):
                if let method = DaemonInterface.Method(rawValue: name) {
                    try perform(method, call, of: client, callID: callID, handler: handler)
                } else if let method = SystemdInterface.Method(rawValue: name) {
                    try perform(method, call, of: client, callID: callID, handler: handler)
                } else if let method = MetricsInterface.Method(rawValue: name) {
                    try perform(method, call, of: client, callID: callID, handler: handler)
                } else {
                    throw .methodNotImplemented(name)
                }
            }
        } catch {
            client.connection.fail(error)
        }
    }

    private mutating func perform(
        _ method: DaemonInterface.Method,
        _ call: Call,
        of client: ControlClient,
        callID: CallID,
        handler: some ControlHandler
    ) throws(VarlinkError) {
        try check(client, mayCall: method.rawValue, with: method.permission)
        switch method {
        case .getStatus:
            _ = try call.parameters(as: NoParameters.self)
            let status = handler.status()
            reply(to: client, callID, count: handler.entryCount) { status }
        case .listListeners:
            _ = try call.parameters(as: NoParameters.self)
            let list = ListenerList(listeners: handler.listeners())
            reply(to: client, callID, count: handler.entryCount) { list }
        case .listUpstreams:
            _ = try call.parameters(as: NoParameters.self)
            let list = UpstreamList(upstreams: handler.upstreams())
            reply(to: client, callID, count: handler.entryCount) { list }
        case .listRoutes:
            _ = try call.parameters(as: NoParameters.self)
            let list = RoutingList(routings: handler.routings())
            let count = list.routings.reduce(0) { $0 + $1.routes.count }
            reply(to: client, callID, count: count) { list }
        case .rankServers:
            let request = try call.parameters(as: RankingRequest.self)
            let list = RankingList(rankings: try handler.rankings(request))
            reply(to: client, callID, count: handler.entryCount) { list }
        case .getMetrics:
            _ = try call.parameters(as: NoParameters.self)
            reply(to: client, callID, count: handler.entryCount, handler.metrics())
        case .getConfig:
            _ = try call.parameters(as: NoParameters.self)
            reply(to: client, callID, count: handler.entryCount, handler.configuration())
        case .checkConfig:
            let configuration = try call.parameters(as: ConfigurationText.self)
            let check = handler.configurationCheck()
            jobs.add(ControlJob(callID: callID, work: .check(text: configuration.text, by: check)))
        case .monitor:
            _ = try call.parameters(as: NoParameters.self)
            guard client.connection.acceptsMore else { throw .expectedMore }
            beginMonitoring(client, callID, handler: handler)
        case .listSessions, .getSession, .killSession, .killSessions:
            try performOnSessions(method, call, of: client, callID: callID, handler: handler)
        case .drain, .resume, .setServer, .reload:
            try operate(method, call, of: client, callID: callID, handler: handler)
        }
    }

    private mutating func perform(
        _ method: MetricsInterface.Method,
        _ call: Call,
        of client: ControlClient,
        callID: CallID,
        handler: some ControlHandler
    ) throws(VarlinkError) {
        try check(client, mayCall: method.rawValue, with: .read)
        _ = try call.parameters(as: NoParameters.self)
        guard client.connection.acceptsMore else { throw .expectedMore }
        switch method {
        case .list: reply(to: callID, handler.reportedMetrics())
        case .describe: reply(to: callID, handler.reportedFamilies())
        }
    }

    /// Sends many replies to a call with `more`.
    ///
    /// Even a small daemon has hundreds of metrics, so another thread always encodes them.
    private mutating func reply<Parameters: Encodable & Sendable>(
        to callID: CallID,
        _ replies: @escaping @Sendable () -> [Parameters]
    ) {
        let encode: @Sendable () -> ControlJob.Outcome = {
            let all = PreparedReply(all: replies())
            return .answered(all ?? PreparedReply(failing: Self.oversizeError))
        }
        jobs.add(ControlJob(callID: callID, work: .encode(encode)))
    }

    /// Sends the current status to a client that monitors the daemon.
    private mutating func beginMonitoring(
        _ client: ControlClient,
        _ callID: CallID,
        handler: some ControlHandler
    ) {
        client.isMonitor = true
        var event = MonitorEvent(.status, timestampUSec: WallClock.microseconds())
        event.status = handler.beginMonitoring()
        guard handler.entryCount > Self.inlineEntryCount else {
            return client.connection.reply(event, continues: true)
        }
        client.heldEvents = []
        let first = event
        jobs.add(
            ControlJob(callID: callID, work: .encode { .monitoring(SharedReply([first])) })
        )
    }

    /// Replies with parameters about `count` listeners and servers.
    ///
    /// Many entries are encoded on another thread.
    private mutating func reply<Parameters: Encodable & Sendable>(
        to client: ControlClient,
        _ callID: CallID,
        count: Int,
        _ parameters: @escaping @Sendable () -> Parameters
    ) {
        if count <= Self.inlineEntryCount {
            client.connection.reply(parameters())
        } else {
            let encode: @Sendable () -> ControlJob.Outcome = {
                .answered(PreparedReply(parameters()))
            }
            jobs.add(ControlJob(callID: callID, work: .encode(encode)))
        }
    }

    func reply(_ answer: ControlAnswer<some Encodable>, to client: ControlClient) {
        guard case .now(let parameters) = answer else { return }
        client.connection.reply(parameters)
    }
}

extension DaemonInterface.Method {
    /// The permission that the method requires.
    fileprivate var permission: Permission {
        switch self {
        case .getStatus, .listListeners, .listUpstreams, .listRoutes, .listSessions, .getSession,
            .rankServers, .getMetrics, .checkConfig, .getConfig, .monitor:
            .read
        case .killSession, .killSessions, .drain, .resume, .setServer, .reload: .operate
        }
    }
}

extension SystemdInterface.Method {
    /// The permission that the method requires.
    var permission: Permission {
        switch self {
        case .ping: .read
        case .reload, .setLogLevel: .operate
        }
    }
}
