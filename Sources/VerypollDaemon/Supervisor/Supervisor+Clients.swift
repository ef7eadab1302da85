internal import Glibc
internal import Logging
internal import Varlink
internal import Verypoll
internal import VerypollControl
internal import VerypollServer

// Serves the clients of the control socket and of the metrics socket, each with its own server.

extension Supervisor {
    /// Creates the service of the control socket.
    static func controlService(
        _ socket: consuming ControlSocket,
        _ registry: borrowing Registry,
        _ descriptors: DescriptorReserve,
        _ logger: Logger
    ) throws -> ControlService {
        let server = try ControlServer(
            listener: socket.listener,
            registry: try registry.clone(),
            firstToken: Tokens.firstOfControl,
            service: try service([
                DaemonInterface.description, SystemdInterface.description,
                MetricsInterface.description,
            ]),
            authorization: Authorization(daemonUser: geteuid(), group: socket.group),
            descriptors: descriptors,
            logger: logger
        )
        return try ControlService(server, file: socket.file)
    }

    /// Creates the service of the metrics socket, which has no interface for operators.
    ///
    /// The two services share a thread for jobs.
    static func metricsService(
        _ socket: consuming ControlSocket?,
        _ registry: borrowing Registry,
        _ descriptors: DescriptorReserve,
        _ logger: Logger,
        besides control: ControlService
    ) throws -> ControlService? {
        guard let socket else { return nil }
        let server = try ControlServer(
            listener: socket.listener,
            of: .metrics,
            registry: try registry.clone(),
            firstToken: Tokens.firstOfMetrics,
            service: try service([MetricsInterface.description]),
            authorization: Authorization(daemonUser: geteuid(), group: socket.group),
            descriptors: descriptors,
            logger: logger
        )
        return try ControlService(server, file: nil, thread: control.thread)
    }

    /// Returns the description of the daemon and of interfaces.
    private static func service(_ descriptions: [String]) throws -> Service {
        try Service(
            vendor: "Verypoll",
            product: "verypolld",
            version: Release.version,
            url: "",
            interfaces: try descriptions.map { try Interface(description: $0) }
        )
    }

    // MARK: Events

    /// Whether an event is of one of the two sockets, or of one of their clients.
    func isOfClient(_ event: Event) -> Bool {
        control.server.owns(event.token) || metricsService?.server.owns(event.token) == true
    }

    /// Serves one client of each socket.
    func handleClients(_ events: borrowing Events) {
        control.server.handle(events, handler: self)
        metricsService?.server.handle(events, handler: self)
    }

    /// Does the timed work of the two servers.
    func tickClients(now: ContinuousClock.Instant) {
        control.server.tick(now: now, handler: self)
        metricsService?.server.tick(now: now, handler: self)
    }

    // MARK: Jobs

    func start(_ job: ControlJob) {
        service(of: job.callID)?.start(job) { [mailbox = inbox.mailbox] result in
            mailbox.postBeyondLimit(.controlJob(result))  // Each server has one job at a time.
        }
    }

    /// Continues the call that a finished job belongs to.
    func finish(_ result: ControlJob.Result) {
        service(of: result.callID)?.server.finish(result, handler: self)
    }

    private func service(of callID: CallID) -> ControlService? {
        switch callID.socket {
        case .control: control
        case .metrics: metricsService
        }
    }
}
