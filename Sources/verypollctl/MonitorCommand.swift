internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb of `verypollctl monitor`.
struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Print a line for each thing that happens, until interrupted.",
        discussion: """
            The first line tells the present; then come the beginnings and ends of sessions, \
            servers that go down, come up or are set, listeners whose state changes, and reloads, \
            also those that are refused. Each has the time at which it happened. Where more \
            happens than can be told, a line says how much was lost. With --json each line is an \
            object. The exit status is 3 when the daemon goes.
            """
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let output = Output(options)
        try daemon.follow(
            DaemonInterface.Method.monitor.rawValue,
            as: MonitorEvent.self
        ) { event throws(Failure) in
            try output.print(event) { [eventLine($0, on: output.terminal)] }
        }
    }
}
