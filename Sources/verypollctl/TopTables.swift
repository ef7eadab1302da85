internal import Console

extension TopSample {
    /// Returns two lines about the whole daemon, then tables of listeners, servers and workers.
    ///
    /// A last line names the columns that are left out.
    func lines(header: Bool, on terminal: Terminal) -> [DisplayText] {
        let age = formatSpan(microseconds: timestampUSec - startTimestampUSec)
        var lines: [DisplayText] = [
            "\(terminal.styled("verypolld", .bold)) \(version) - \(state), up \(age)",
            """
            \(active) of \(maxSessions) sessions, \(formatRate(rates.sessionsPerSecond)) new, \
            \(byteRate(rates.bytesInPerSecond)) in, \(byteRate(rates.bytesOutPerSecond)) out
            """,
        ]
        var omitted: [String] = []
        for table in [listenerTable, serverTable, workerTable] where !table.isEmpty {
            lines += [""] + table.lines(header: header, on: terminal)
            omitted += table.droppedTitles(on: terminal).filter { !omitted.contains($0) }
        }
        if header, !omitted.isEmpty { lines += [""] + omissionLines(omitted) }
        return lines
    }

    private var listenerTable: Table {
        var table = Table(
            ("LISTENER", .left),
            ("STATE", .left),
            ("SESSIONS", .right),
            ("NEW/S", .right),
            ("IN/S", .right),
            ("OUT/S", .right),
            dropping: ["NEW/S"],
            folding: ["STATE"]
        )
        for listener in listeners {
            table.append(
                Table.Cell(listener.name, .bold),
                Table.Cell(listener.state, listener.state == "accepting" ? .green : .yellow),
                "\(listener.active)",
                Table.Cell(formatNumber(listener.rates.sessionsPerSecond)),
                Table.Cell(formatByteCount(Int(listener.rates.bytesInPerSecond))),
                Table.Cell(formatByteCount(Int(listener.rates.bytesOutPerSecond)))
            )
        }
        return table
    }

    private var serverTable: Table {
        var table = Table(
            ("UPSTREAM", .left),
            ("SERVER", .left),
            ("STATE", .left),
            ("SESSIONS", .right),
            ("NEW/S", .right),
            ("TO/S", .right),
            ("FROM/S", .right),
            dropping: ["NEW/S"],
            folding: ["SERVER"]
        )
        for server in servers {
            let isUp = server.mode == "up" && ["up", "unchecked"].contains(server.state)
            let state = stateWords(server.state, mode: server.mode)
            table.append(
                Table.Cell(server.upstream, .bold),
                Table.Cell(server.address),
                Table.Cell(state, isUp ? .green : .red),
                "\(server.active)",
                Table.Cell(formatNumber(server.rates.sessionsPerSecond)),
                Table.Cell(formatByteCount(Int(server.rates.bytesOutPerSecond))),
                Table.Cell(formatByteCount(Int(server.rates.bytesInPerSecond)))
            )
        }
        return table
    }

    private var workerTable: Table {
        var table = Table(("WORKER", .right), ("SESSIONS", .right), ("BUSY", .right))
        for worker in workers {
            let share = Int((worker.busyShare * 100).rounded())
            table.append("\(worker.index)", "\(worker.sessions)", "\(share)%")
        }
        return table
    }

    private func byteRate(_ rate: Double) -> String { formatByteCount(Int(rate)) + "/s" }

    private func formatRate(_ rate: Double) -> String { formatNumber(rate) + "/s" }
}

/// Returns a number with one decimal place.
private func formatNumber(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}
