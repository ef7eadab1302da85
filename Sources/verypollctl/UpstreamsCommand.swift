internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl upstreams`.
struct UpstreamsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstreams",
        abstract: "List the upstreams with their servers, states and counters.",
        discussion: """
            SESSIONS counts the sessions on a server now; SERVED and FAILED count the sessions \
            that have connected and those that could not, since the start. TO counts the bytes \
            that the daemon has sent to the server since the start, FROM those that it has \
            received from the server. In a narrow window, WEIGHT, SERVED and FAILED are left out \
            in this order.
            """
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
            let table = upstreamTable(list.upstreams, now: currentTimestamp())
            var lines = table.lines(header: output.hasLegend, on: output.terminal)
            if output.hasLegend {
                lines += ["", "\(count(list.upstreams.count, "upstream")) listed."]
                lines += table.omission(on: output.terminal)
            }
            return lines
        }
    }
}
