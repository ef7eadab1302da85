internal import Console
internal import VerypollControl

/// A status in the style of `systemctl status`.
struct StatusReport {
    let status: Status
    /// The current time, in microseconds since 1970-01-01 UTC.
    let now: Int
    let terminal: Terminal
    /// The conditions that need attention, printed first.
    var warnings: [StatusWarning] = []

    /// Returns the headline fields, then the tables of listeners and upstreams.
    func lines(hasLegend: Bool) -> [DisplayText] {
        let dot = terminal.styled(status.state == .stopping ? "○" : "●", style)
        let name = terminal.styled("verypolld", .bold)
        var lines = ["\(dot) \(name) - version \(status.version)"] + fields()
        var omitted: [String] = []
        let tables = [
            listenerTable(status.listeners, now: now), upstreamTable(status.upstreams, now: now),
        ]
        for table in tables where !table.isEmpty {
            lines += [""] + table.lines(header: hasLegend, on: terminal)
            omitted += table.droppedTitles(on: terminal)
        }
        if hasLegend, !omitted.isEmpty { lines += [""] + omissionLines(omitted) }
        return lines
    }

    private var style: Style {
        switch status.state {
        case .running: .green
        case .starting, .draining: .yellow
        case .stopping: .plain
        }
    }

    private func fields() -> [DisplayText] {
        let since = formatTimestamp(microseconds: status.startTimestampUSec)
        let age = formatSpan(microseconds: now - status.startTimestampUSec)
        let state = terminal.styled("\(status.state.rawValue)", style)
        let totals = status.totals
        var fields: [(String, DisplayText)] = warnings.enumerated().map { index, warning in
            (index == 0 ? "Attention" : "", terminal.styled("\(warning.text)", .yellow))
        }
        fields += [
            ("Config", "\(status.configurationPath ?? "built-in default")"),
            ("Active", "\(state) since \(since); \(age) ago"),
        ]
        if let deadline = status.drainDeadlineTimestampUSec {
            let rest = formatSpan(microseconds: deadline - now)
            fields.append(("Drain", "remaining sessions are closed in \(rest)"))
        }
        // The warnings say the same as the note, in more words.
        if warnings.isEmpty, let note = status.note {
            fields.append(("Note", terminal.styled("\(note)", .yellow)))
        }
        fields += [
            ("Main PID", "\(status.pid)"),
            (
                "Sessions",
                """
                \(totals.active) of \(totals.maxSessions) \
                (\(totals.accepted) accepted, \(totals.rejected) rejected)
                """
            ),
            (
                "Traffic",
                "\(formatByteCount(totals.bytesIn)) in, \(formatByteCount(totals.bytesOut)) out"
            ),
        ]
        let workers = workerTable().lines(header: false, on: terminal)
        fields += workers.enumerated().map { index, line in
            (index == 0 ? "Workers" : "", line)
        }
        return fields.map { name, value in
            let padding = String(repeating: " ", count: 11 - name.count)
            return "\(padding)\(name)\(name.isEmpty ? "  " : ": ")\(value)"
        }
    }

    private func workerTable() -> Table {
        var table = Table(
            ("", .right),
            ("", .right),
            ("", .right),
            ("", .right),
            ("", .right)
        )
        for worker in status.workers {
            let share = Int((worker.busyShare * 100).rounded())
            table.append(
                "\(worker.index)",
                "\(worker.sessions) \(worker.sessions == 1 ? "session " : "sessions")",
                "\(share)% busy",
                "\(worker.polls) polls",
                "\(worker.events) events"
            )
        }
        return table
    }
}

/// Returns a table with a row for each listener, and a row for each additional address.
///
/// - Parameters:
///   - listeners: The listeners.
///   - now: The current time, in microseconds since 1970-01-01 UTC.
/// - Returns: The table.
func listenerTable(_ listeners: [Status.Listener], now: Int) -> Table {
    var table = Table(
        ("LISTENER", .left),
        ("ADDRESS", .left),
        ("HANDLER", .left),
        ("STATE", .left),
        ("SESSIONS", .right),
        ("ACCEPTED", .right),
        ("REJECTED", .right),
        ("IN", .right),
        ("OUT", .right),
        dropping: ["HANDLER", "REJECTED", "ACCEPTED"],
        folding: ["ADDRESS"]
    )
    for listener in listeners {
        let addresses = listener.addresses.map { address in
            address.origin == .systemd ? "\(address.address) (systemd)" : address.address
        }
        let limit = listener.maxSessions.map { " of \($0)" } ?? ""
        table.append(
            Table.Cell(listener.name, .bold),
            Table.Cell(addresses.first ?? "-"),
            Table.Cell(listener.handler),
            Table.Cell(listener.state.rawValue, listener.state.style),
            "\(listener.active)\(limit)",
            "\(listener.accepted)",
            "\(listener.rejected)",
            Table.Cell(formatByteCount(listener.bytesIn)),
            Table.Cell(formatByteCount(listener.bytesOut))
        )
        for address in addresses.dropFirst() {
            table.append("", Table.Cell(address), "", "", "", "", "", "", "")
        }
        if let reason = listener.stateReason {
            table.remark(Table.Cell(reason, listener.state.style))
        } else if listener.state == .draining, let deadline = listener.drainDeadlineTimestampUSec {
            let rest = formatSpan(microseconds: deadline - now)
            table.remark(Table.Cell("closes remaining sessions in \(rest)", .yellow))
        }
    }
    return table
}

extension Status.Listener.State {
    fileprivate var style: Style {
        switch self {
        case .accepting: .green
        case .paused, .draining, .drained: .yellow
        case .closed: .plain
        }
    }
}
