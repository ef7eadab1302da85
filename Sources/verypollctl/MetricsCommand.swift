#if Net && OSExt
internal import ArgumentParser
internal import VerypollControl

/// The verb of `verypollctl metrics`.
struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print all numbers of the daemon as OpenMetrics text."
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let metrics = try daemon.call(
            DaemonInterface.Method.getMetrics.rawValue,
            as: MetricsText.self
        )
        try Output(options).print(metrics) { metrics in
            metrics.text.split(separator: "\n").map(String.init)
        }
    }
}
#endif
