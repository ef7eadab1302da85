internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl listeners`.
struct ListenersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listeners",
        abstract: "List the listeners with their addresses, states and counters.",
        discussion: """
            SESSIONS counts the open sessions; ACCEPTED and REJECTED count connections since the \
            start. IN counts the bytes that the daemon has received from clients since the start, \
            OUT those that it has sent to clients. In a narrow window, HANDLER, REJECTED and \
            ACCEPTED are left out in this order.
            """
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
            let table = listenerTable(list.listeners, now: currentTimestamp())
            var lines = table.lines(header: output.hasLegend, on: output.terminal)
            if output.hasLegend {
                lines += ["", "\(count(list.listeners.count, "listener")) listed."]
                lines += table.omission(on: output.terminal)
            }
            return lines
        }
    }
}
