internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the status of the daemon, its listeners and its upstreams.",
        discussion: """
            The first lines say what needs attention: a refused reload, files of the configuration \
            that are newer than the configuration in effect, servers that are down, ejected or \
            unresolved although their mode is up, upstreams without an available server, sessions \
            that wait, listeners that are paused or drained, a daemon that is not running, and \
            limits of the daemon, listeners, upstreams and servers of which at least 90 % are \
            used. With --json, these are the member "warnings".

            The exit status is 0 even then. With --check, for monitoring and scripts, the verb \
            prints one line and exits with 1 if something needs attention.

            The daemon and its listeners: IN and "in" are bytes received from clients, OUT and \
            "out" are bytes sent to clients. Servers: TO and FROM are bytes sent to the server \
            and received from it. All byte counts are those since the start.
            """
    )

    @Flag(help: "Print one line, and exit with 1 if something needs attention.")
    var check = false

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
        let now = currentTimestamp()
        let warnings = StatusWarning.all(
            of: status,
            fileTime: StatusWarning.modificationTime(of: status),
            now: now
        )
        try output.print(StatusAnswer(status: status, warnings: warnings)) { answer in
            if check { return [checkLine(of: answer)] }
            return StatusReport(
                status: status,
                now: now,
                terminal: output.terminal,
                warnings: warnings
            ).lines(hasLegend: output.hasLegend)
        }
        if check, !warnings.isEmpty { throw Failure(status: .failed, message: "") }
    }
}

/// Returns one line in the style of monitoring plugins: `OK: …` or `WARNING: TEXT; TEXT`.
func checkLine(of answer: StatusAnswer) -> DisplayText {
    let status = answer.status
    guard !answer.warnings.isEmpty else {
        let listeners = count(status.listeners.count, "listener")
        return "OK: \(listeners), \(count(status.totals.active, "session"))"
    }
    let texts = answer.warnings.map(\.text).joined(separator: "; ")
    return "WARNING: \(texts)"
}
