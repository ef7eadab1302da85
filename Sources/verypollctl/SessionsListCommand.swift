internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl sessions list`.
struct SessionsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List open sessions, the oldest first.",
        discussion: """
            If there are more sessions than --limit, a message on standard error says so, except \
            with --json.
            """
    )

    @Option(
        help: ArgumentHelp("Only sessions of this listener.", valueName: "name"),
        completion: .custom(Candidates.listeners)
    )
    var listener: String?

    @Option(
        help: ArgumentHelp("Only sessions that are proxied to this upstream.", valueName: "name"),
        completion: .custom(Candidates.upstreams)
    )
    var upstream: String?

    @Option(
        help: ArgumentHelp(
            "Only sessions of the client with this address, with or without the port.",
            valueName: "address"
        )
    )
    var peer: String?

    @Option(help: ArgumentHelp("The most sessions to list, from 1 to 10000.", valueName: "number"))
    var limit = SessionQuery.defaultLimit

    @OptionGroup var options: GlobalOptions

    mutating func validate() throws {
        guard SessionQuery.limits.contains(limit) else {
            throw ValidationError("--limit requires a number from 1 to 10000.")
        }
    }

    func run() throws {
        var daemon = try options.connect()
        let list = try daemon.call(
            DaemonInterface.Method.listSessions.rawValue,
            parameters: SessionQuery(
                listener: listener,
                upstream: upstream,
                peer: peer,
                limit: limit
            ),
            as: SessionList.self
        )
        let output = Output(options)
        try output.print(list) { list in
            let now = currentTimestamp()
            var lines = sessionTable(list.sessions, now: now)
                .lines(header: output.hasLegend, on: output.terminal)
            if output.hasLegend {
                lines += ["", "\(count(list.sessions.count, "session")) listed."]
            }
            return lines
        }
        if list.truncated, output.mode == .off {
            writeError("There are more sessions; see --limit, --listener, --upstream and --peer.")
        }
    }
}
