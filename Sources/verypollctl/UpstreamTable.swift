internal import VerypollControl

/// Returns a table with a row for each upstream, and below it a row for each of its servers.
///
/// - Parameters:
///   - upstreams: The upstreams.
///   - now: The current time, in microseconds since 1970-01-01 UTC.
/// - Returns: The table.
func upstreamTable(_ upstreams: [Status.Upstream], now: Int) -> Table {
    var table = Table(
        ("UPSTREAM", .left),
        ("SERVER", .left),
        ("STATE", .left),
        ("WEIGHT", .right),
        ("SESSIONS", .right),
        ("SERVED", .right),
        ("FAILED", .right),
        ("TO", .right),
        ("FROM", .right),
        dropping: ["WEIGHT", "SERVED", "FAILED"],
        folding: ["SERVER"]
    )
    for upstream in upstreams {
        let servers = upstream.servers
        let upCount = servers.count { $0.state == .up && $0.mode == .up }
        let hasServer = servers.contains { $0.state.isAvailable && $0.mode == .up }
        let limit = upstream.maxSessions.map { " of \($0)" } ?? ""
        table.append(
            Table.Cell(upstream.name, .bold),
            Table.Cell(balanceWords(of: upstream)),
            Table.Cell("\(upCount) of \(servers.count) up", hasServer ? .plain : .red),
            "",
            "\(upstream.active)\(limit)",
            "\(servers.reduce(0) { $0 + $1.sessions })",
            "\(servers.reduce(0) { $0 + $1.failures })",
            Table.Cell(formatByteCount(servers.reduce(0) { $0 + $1.bytesOut })),
            Table.Cell(formatByteCount(servers.reduce(0) { $0 + $1.bytesIn }))
        )
        if upstream.waiting > 0 {
            let verb = upstream.waiting == 1 ? "waits" : "wait"
            table.remark(Table.Cell("\(count(upstream.waiting, "session")) \(verb)", .yellow))
        }
        for service in upstream.services ?? [] { table.append(service, now: now) }
        for server in servers { table.append(server, now: now) }
    }
    return table
}

/// Returns the balance of an upstream, with the kind of its key if that is not the default.
private func balanceWords(of upstream: Status.Upstream) -> String {
    guard let key = upstream.hashKey, key != "source" else { return upstream.balance }
    return "\(upstream.balance) (\(key))"
}

extension Table {
    fileprivate mutating func append(_ server: Status.Server, now: Int) {
        append(
            "",
            Cell(server.address + notes(on: server)),
            Cell(stateWords(of: server), server.mode == .up ? server.state.style : .yellow),
            "\(server.weight)",
            "\(server.active)\(server.maxSessions.map { " of \($0)" } ?? "")",
            "\(server.sessions)",
            "\(server.failures)",
            Cell(formatByteCount(server.bytesOut)),
            Cell(formatByteCount(server.bytesIn))
        )
        if !server.state.isAvailable {
            let time = formatSpan(microseconds: now - server.stateTimestampUSec)
            let reason = server.stateReason.map { ": \($0)" } ?? ""
            remark(Cell("for \(time)\(reason)", server.state.style))
        } else if server.resolvedAddresses != [server.address] {
            remark(Cell("at \(server.resolvedAddresses.joined(separator: ", "))"))
        } else if let target = server.target {
            remark(Cell("as \(target)"))
        }
    }
}

extension Table {
    /// Adds a row about a service whose SRV records name servers.
    fileprivate mutating func append(_ service: Status.Service, now: Int) {
        let isWell = service.failure == nil && !service.isNotOffered
        let state = service.isNotOffered ? "not offered" : count(service.servers, "server")
        append(
            "",
            Cell("srv \(service.name)"),
            Cell(state, isWell ? .plain : .yellow),
            "",
            "",
            "",
            "",
            "",
            ""
        )
        let answer =
            service.answerTimestampUSec.map { timestamp in
                "answered \(formatSpan(microseconds: now - timestamp)) ago"
            } ?? "no answer yet"
        let failure = service.failure.map { "; \($0)" } ?? ""
        remark(Cell(answer + failure, isWell ? .plain : .yellow))
    }

    private func notes(on server: Status.Server) -> String {
        var notes: [String] = []
        if server.backup { notes.append("backup") }
        if let priority = server.priority, priority > 0 { notes.append("priority \(priority)") }
        return notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"
    }
}

extension Status.Server.State {
    fileprivate var style: Style {
        switch self {
        case .up: .green
        case .down: .red
        case .ejected, .unresolved, .unchecked: .yellow
        }
    }
}
