#if Net && OSExt
internal import Varlink
internal import VerypollControl

extension ControlServer {
    /// Answers a call, or leaves its ticket with the handler.
    func answer(
        _ call: Call,
        of client: ControlClient,
        ticket: ControlTicket,
        handler: some ControlHandler
    ) {
        do throws(VarlinkError) {
            switch try service.route(call) {
            case .info(let info):
                client.connection.reply(info)
            case .description(let description):
                client.connection.reply(description)
            case .method(PingInterface.ping):
                _ = try call.parameters(as: NoParameters.self)
                client.connection.reply(NoParameters())
            case .method(let name):
                guard let method = DaemonInterface.Method(rawValue: name) else {
                    throw .methodNotImplemented(name)
                }
                try perform(method, call, of: client, ticket: ticket, handler: handler)
            }
        } catch {
            client.connection.fail(error)
        }
    }

    private func perform(
        _ method: DaemonInterface.Method,
        _ call: Call,
        of client: ControlClient,
        ticket: ControlTicket,
        handler: some ControlHandler
    ) throws(VarlinkError) {
        guard client.permission >= method.permission else { throw .permissionDenied }
        switch method {
        case .getStatus:
            _ = try call.parameters(as: NoParameters.self)
            client.connection.reply(handler.status())
        case .listListeners:
            _ = try call.parameters(as: NoParameters.self)
            client.connection.reply(ListenerList(listeners: handler.listeners()))
        case .listUpstreams:
            _ = try call.parameters(as: NoParameters.self)
            client.connection.reply(UpstreamList(upstreams: handler.upstreams()))
        case .getMetrics:
            _ = try call.parameters(as: NoParameters.self)
            client.connection.reply(handler.metrics())
        case .listSessions:
            let query = try call.parameters(as: SessionQuery.self)
            guard SessionQuery.limits.contains(query.effectiveLimit) else {
                throw .invalidParameter("limit")
            }
            reply(try handler.sessions(matching: query, ticket: ticket), to: client)
        case .killSession:
            let session = try call.parameters(as: SessionID.self)
            reply(try handler.killSession(session.id, ticket: ticket), to: client)
        }
    }

    private func reply(_ answer: ControlAnswer<some Encodable>, to client: ControlClient) {
        guard case .now(let parameters) = answer else { return }
        client.connection.reply(parameters)
    }
}

extension DaemonInterface.Method {
    /// What it takes to call the method.
    fileprivate var permission: Permission {
        switch self {
        case .getStatus, .listListeners, .listUpstreams, .listSessions, .getMetrics: .read
        case .killSession: .operate
        }
    }
}
#endif
