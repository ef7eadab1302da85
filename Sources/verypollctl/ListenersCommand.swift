internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl listeners`.
struct ListenersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listeners",
        abstract: "List the listeners with their addresses, states and counters."
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let list = try daemon.call(
            DaemonInterface.Method.listListeners.rawValue,
            as: ListenerList.self
        )
        let output = Output(options)
        try output.print(list) { list in
            var lines = listenerTable(list.listeners, now: currentTimestamp())
                .lines(header: output.hasLegend, on: output.terminal)
            if output.hasLegend {
                lines += ["", "\(count(list.listeners.count, "listener")) listed."]
            }
            return lines
        }
    }
}
