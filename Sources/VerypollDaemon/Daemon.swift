internal import Logging
internal import SystemPackage
internal import Systemd
internal import Verypoll
package import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// The daemon as a whole; `verypolld` is its command line.
package enum Daemon {
    /// Runs the daemon until a signal or an idle exit ends it.
    ///
    /// No connection is served before the whole configuration is in effect. systemd is notified of
    /// readiness when every worker accepts.
    ///
    /// - Parameters:
    ///   - loaded: The configuration to run.
    ///   - options: The options of the command line.
    /// - Throws: `LaunchError` if the daemon cannot start or cannot continue.
    package static func run(
        _ loaded: LoadedConfiguration,
        options: LaunchOptions
    ) throws(LaunchError) {
        let configuration = loaded.configuration
        let logFormat = LogFormat(isJSON: configuration.log.format == .json)
        let logger = makeLogger(options.logLevel ?? configuration.log.level, logFormat)
        BrokenPipe.ignoreSignal()
        do {
            // Block the signals before other threads start and inherit the mask.
            let signals = try SignalSource(blocking: [.terminate, .interrupt, .hangUp, .user1])
            // Open the reserve before other descriptors, so that its descriptors have low numbers.
            let descriptors = try DescriptorReserve(descriptorLimit: loaded.descriptorLimit)
            var activated = try ActivatedSockets.takeFromEnvironment()
            let handoffStore = HandoffStore(logger: logger)
            let restoredSessions = RestoredSessions(&activated)
            let exchange = SocketExchange(handoffStore, logger: logger)
            exchange.inherit(from: &activated)
            let restored = restoredSessions.servers
            let discovery = Discovery(configuration, restored: restored, now: .now)
            var live = LiveConfiguration(configuration, handoffStore)
            let effective = discovery.effective(configuration)
            try live.change(to: effective, exchange: exchange, activated: &activated)
            let path =
                options.socketPath.map { FilePath($0) }
                ?? configuration.control.socket ?? .defaultControlSocket
            let sockets = try ControlSockets(
                from: &activated,
                orBinding: path,
                configuration.control
            )
            sockets.log(to: logger)
            try closeUnclaimed(&activated, logger)
            let handoff = Handoff(
                handoffStore,
                restoredSessions,
                exchange,
                keepsSessions: configuration.restart.keepSessions,
                logger: logger
            )
            let supervisor = try Supervisor(
                loaded,
                options: options,
                live: live,
                discovery: discovery,
                handoff: handoff,
                sockets: sockets,
                descriptors: descriptors,
                signals: signals,
                logFormat: logFormat,
                logger: logger
            )
            live.releaseSockets()
            try supervisor.run()
        } catch {
            throw LaunchError(description: "\(error)")
        }
    }

    private static func makeLogger(_ level: Logger.Level, _ format: LogFormat) -> Logger {
        let threshold = LogThreshold(level)
        let destination = LogDestination.standardError
        return Logger(label: "verypolld") { label in
            destination.makeHandler(label: label, threshold: threshold, format: format)
        }
    }

    private static func closeUnclaimed(
        _ activated: inout ActivatedSockets,
        _ logger: Logger
    ) throws {
        for socket in activated.takeUnclaimed() {
            logger.warning(
                .socketUnclaimed,
                "closed the socket \"\(socket.name)\" passed by systemd: no listener names it",
                metadata: ["socketName": "\(socket.name)"]
            )
            try socket.descriptor.close()
        }
    }
}

extension LiveConfiguration {
    /// Makes a live configuration without listeners.
    fileprivate init(_ configuration: Configuration, _ handoffStore: HandoffStore) {
        self.init(
            workers: configuration.workers,
            capacity: configuration.limits.capacity + SessionLimiter.metricsReserve,
            handoffStore: handoffStore
        )
    }
}
