internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the status of the daemon, its listeners and its upstreams."
    )

    @OptionGroup var options: GlobalOptions

    /// Unknown verbs, which the parser passes to this default verb.
    @Argument(help: .hidden)
    var strays: [String] = []

    func validate() throws {
        guard let stray = strays.first else { return }
        let verbs = Verypollctl.configuration.subcommands
            .compactMap { $0.configuration.commandName }.joined(separator: ", ")
        throw ValidationError("Unexpected argument '\(stray)'. The verbs are \(verbs).")
    }

    func run() throws {
        var daemon = try options.connect()
        let status = try daemon.call(
            DaemonInterface.Method.getStatus.rawValue,
            as: Status.self
        )
        let output = Output(options)
        try output.print(status) { status in
            StatusReport(status: status, now: currentTimestamp(), terminal: output.terminal)
                .lines(hasLegend: output.hasLegend)
        }
    }
}
