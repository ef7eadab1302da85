internal import ArgumentParser
internal import VerypollControl

/// The verb `verypollctl metrics`.
struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print all metrics of the daemon as OpenMetrics text.",
        discussion: """
            On a terminal, control characters in names are escaped. A file or a pipe gets the \
            exact text.
            """
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let metrics = try daemon.call(
            DaemonInterface.Method.getMetrics.rawValue,
            as: MetricsText.self
        )
        let output = Output(options)
        if output.mode == .off {
            try output.print(exactly: metrics.text)
        } else {
            try output.print(metrics) { _ in [] }
        }
    }
}
