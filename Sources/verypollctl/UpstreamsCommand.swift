internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl upstreams`.
struct UpstreamsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstreams",
        abstract: "List the upstreams with their servers, states and counters."
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let list = try daemon.call(
            DaemonInterface.Method.listUpstreams.rawValue,
            as: UpstreamList.self
        )
        let output = Output(options)
        try output.print(list) { list in
            var lines = upstreamTable(list.upstreams, now: currentTimestamp())
                .lines(header: output.hasLegend, on: output.terminal)
            if output.hasLegend {
                lines += ["", "\(count(list.upstreams.count, "upstream")) listed."]
            }
            return lines
        }
    }
}
