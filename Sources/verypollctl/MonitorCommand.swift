internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl monitor`.
struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Print a line for each event, until interrupted.",
        discussion: """
            The first line is the current status. The events are: a session begins or ends; a \
            server goes down or comes up; an operator sets the mode or the weight of a server; the \
            state of a listener changes; an operator begins or ends a drain; a listener is \
            drained; the configuration is reloaded or a reload is refused; an operator kills \
            sessions; the log level changes. If a call has caused an event, the line ends with \
            the command, user ID and process ID of the caller. Byte counts are those from the \
            client (in) and to it (out). \
            Each line has the time of the event. If there are more events than can be sent, a line \
            says how many were lost. With --json, each line is a JSON object. The exit status is 3 \
            when the daemon stops.
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
