internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl sessions watch`.
struct SessionsWatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Print a line for each session that begins or ends, until interrupted.",
        discussion: """
            If there are more events than can be sent, a line says how many were lost. The exit \
            status is 3 when the daemon stops, and 4 if there is no such listener or upstream.
            """
    )

    @Option(
        help: ArgumentHelp("Only sessions of this listener.", valueName: "name"),
        completion: .custom(Candidates.listeners)
    )
    var listener: String?

    @Option(
        help: ArgumentHelp("Only sessions that are proxied to this upstream.", valueName: "name"),
        completion: .custom(Candidates.upstreams)
    )
    var upstream: String?

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let output = Output(options)
        try daemon.follow(
            DaemonInterface.Method.monitor.rawValue,
            as: MonitorEvent.self
        ) { event throws(Failure) in
            if let status = event.status { try check(status) }
            guard concerns(event) else { return }
            try output.print(event) { [eventLine($0, on: output.terminal)] }
        }
    }

    /// Checks that the listener and the upstream exist.
    private func check(_ status: Status) throws(Failure) {
        if let listener, !status.listeners.contains(where: { $0.name == listener }) {
            throw Failure(.listenerNotFound(listener))
        }
        if let upstream, !status.upstreams.contains(where: { $0.name == upstream }) {
            throw Failure(.upstreamNotFound(upstream))
        }
    }

    private func concerns(_ event: MonitorEvent) -> Bool {
        switch event.event {
        case .lost: true
        case .sessionOpened, .sessionClosed:
            (listener == nil || event.session?.listener == listener)
                && (upstream == nil || event.session?.upstream == upstream)
        default: false
        }
    }
}
