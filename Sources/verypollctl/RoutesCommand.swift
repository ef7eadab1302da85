internal import ArgumentParser
internal import Console
internal import VerypollConfiguration
internal import VerypollControl

/// The verb `verypollctl routes`.
struct RoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes",
        abstract: "List the routes by server name, or show which one a client would get.",
        discussion: """
            With --match, the exit status is 4 if the client would be refused by every listener \
            with routes, and if the listener of --listener has no routes or does not exist. \
            SESSIONS counts the open sessions, SERVED those since the start.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Show the route of a client that asks for this name; \"\" is one that sends none.",
            valueName: "name"
        )
    )
    var match: String?

    @Option(
        help: ArgumentHelp(
            "With --match: a protocol that the client offers, such as h2; repeatable.",
            valueName: "protocol"
        )
    )
    var alpn: [String] = []

    @Option(
        help: ArgumentHelp("Only the routes of this listener.", valueName: "name"),
        completion: .custom(Candidates.listeners)
    )
    var listener: String?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if match == nil, !alpn.isEmpty {
            throw ValidationError("--alpn needs --match NAME")
        }
        if let long = alpn.first(where: { !(1...255).contains($0.utf8.count) }) {
            throw ValidationError("\(long.quoted) is not a protocol of 1 to 255 bytes")
        }
    }

    func run() throws {
        var daemon = try options.connect()
        var list = try daemon.call(
            DaemonInterface.Method.listRoutes.rawValue,
            as: RoutingList.self
        )
        if let listener {
            list.routings.removeAll { $0.listener != listener }
            if list.routings.isEmpty {
                let message = "no listener with routes is named \"\(listener)\""
                throw Failure(status: .refused, message: message)
            }
        }
        let output = Output(options)
        guard let match else {
            return try output.print(list) { list in
                let table = routeTable(list.routings)
                var lines = table.lines(header: output.hasLegend, on: output.terminal)
                if output.hasLegend {
                    let routes = list.routings.reduce(0) { $0 + $1.routes.count }
                    lines += ["", "\(count(routes, "route")) listed."]
                    lines += table.omission(on: output.terminal)
                }
                return lines
            }
        }
        let results = try list.routings.map { routing throws(Failure) in
            try RouteResult(routing, name: match, protocols: alpn)
        }
        try output.print(RouteResults(results: results)) { results in
            results.results.map { DisplayText($0.text) }
        }
        guard results.contains(where: { $0.upstream != nil }) else {
            throw Failure(status: .refused, message: "no listener with routes matches this client")
        }
    }
}

/// Returns a table with a row for each route, and one for the clients that no route matches.
func routeTable(_ routings: [Status.Routing]) -> Table {
    var table = Table(
        ("LISTENER", .left),
        ("ROUTE", .left),
        ("NAMES", .left),
        ("ALPN", .left),
        ("UPSTREAM", .left),
        ("SESSIONS", .right),
        ("SERVED", .right),
        dropping: ["SERVED"],
        folding: ["NAMES"]
    )
    for routing in routings {
        for route in routing.routes {
            let names = route.serverNames.map { names in
                names.map { $0.isEmpty ? "(none)" : $0 }.joined(separator: ", ")
            }
            table.append(
                Table.Cell(routing.listener),
                Table.Cell(route.name, .bold),
                Table.Cell(names ?? "any"),
                Table.Cell(route.alpn?.joined(separator: ", ") ?? "any"),
                Table.Cell(route.upstream),
                "\(route.active)",
                "\(route.sessions)"
            )
        }
        for (name, upstream) in [("others", routing.upstream), ("not TLS", routing.notTLS)] {
            table.append(
                Table.Cell(routing.listener),
                "-",
                Table.Cell(name),
                "-",
                Table.Cell(upstream ?? "refused", upstream == nil ? .yellow : .plain),
                "-",
                "-"
            )
        }
    }
    return table
}
