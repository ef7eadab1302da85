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
            status is 3 when the daemon stops.
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
            guard concerns(event) else { return }
            try output.print(event) { [eventLine($0, on: output.terminal)] }
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
