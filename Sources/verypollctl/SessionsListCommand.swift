internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl sessions list`.
struct SessionsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List open sessions, the oldest first.",
        discussion: """
            IN counts the bytes that the daemon has received from the client, OUT those that it \
            has sent to the client. A session is waiting (for room in its upstream, or for a \
            server that can be reached), connecting (to a server), open, or half-closed (one \
            direction has ended). In a narrow window, LOCAL, WORKER, BUFFERED, AGE and IDLE are \
            left out in this order.

            If there are more sessions than --limit, a message on standard error says so, except \
            with --json. With --sort, the oldest 2000 sessions (or --limit, if that is more) are \
            sorted before the limit applies. The exit status is 4 if there is no such listener, \
            upstream or server.
            """
    )

    /// The most sessions that are fetched to be sorted, unless the limit is higher; an answer about
    /// more sessions may be too long to be sent.
    private static let sortedLimit = 2000

    @OptionGroup var criteria: SessionCriteria

    @Option(
        help: ArgumentHelp(
            """
            Sort by id, age (the oldest first), idle (the longest silent first), in or out (the \
            most bytes first), or client.
            """,
            valueName: "key"
        )
    )
    var sort: SessionOrder?

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
        let fetched = sort == nil ? limit : max(limit, Self.sortedLimit)
        var list = try daemon.call(
            DaemonInterface.Method.listSessions.rawValue,
            parameters: criteria.query(limit: fetched),
            as: SessionList.self
        )
        if let sort { list = sort.sorted(list, limit: limit) }
        let output = Output(options)
        try output.print(list) { list in
            let now = currentTimestamp()
            let table = sessionTable(list.sessions, now: now)
            var lines = table.lines(header: output.hasLegend, on: output.terminal)
            if output.hasLegend {
                lines += ["", "\(count(list.sessions.count, "session")) listed."]
                lines += table.omission(on: output.terminal)
            }
            return lines
        }
        if list.truncated, output.mode == .off {
            writeError(
                "There are more sessions; see --limit, --listener, --upstream, --server, --peer"
                    + " and --server-name."
            )
        }
    }
}

/// The order of a list of sessions.
enum SessionOrder: String, CaseIterable, ExpressibleByArgument, Sendable {
    case id
    case age
    case idle
    case bytesIn = "in"
    case bytesOut = "out"
    case client

    /// Returns the first sessions of a list in this order; sessions that are equal keep the order
    /// of their numbers.
    func sorted(_ list: SessionList, limit: Int) -> SessionList {
        let sorted = list.sessions.sorted { first, second in
            switch self {
            case .id: first.id < second.id
            case .age:
                (first.openedTimestampUSec, first.id) < (second.openedTimestampUSec, second.id)
            case .idle: (second.idleUSec, first.id) < (first.idleUSec, second.id)
            case .bytesIn: (second.bytesIn, first.id) < (first.bytesIn, second.id)
            case .bytesOut: (second.bytesOut, first.id) < (first.bytesOut, second.id)
            case .client: (first.peer, first.id) < (second.peer, second.id)
            }
        }
        return SessionList(
            sessions: Array(sorted.prefix(limit)),
            truncated: list.truncated || sorted.count > limit
        )
    }
}
