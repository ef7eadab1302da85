internal import Console
internal import VerypollControl

/// The activity of the daemon between two snapshots.
struct TopSample: Encodable {
    /// The status of the daemon at one time.
    struct Snapshot {
        let status: Status
        /// The time of the snapshot, in microseconds since 1970-01-01 UTC.
        let timestamp: Int
        let instant: ContinuousClock.Instant
    }

    /// Rates per second.
    struct Rates: Encodable, Equatable {
        let sessionsPerSecond: Double
        let bytesInPerSecond: Double
        let bytesOutPerSecond: Double

        /// Makes rates from counts and their seconds, with one decimal place.
        init(sessions: Int, bytesIn: Int, bytesOut: Int, seconds: Double) {
            func rate(_ count: Int) -> Double {
                // A counter that restarted in the meantime must not give a negative rate.
                (Double(max(0, count)) / seconds * 10).rounded() / 10
            }
            sessionsPerSecond = rate(sessions)
            bytesInPerSecond = rate(bytesIn)
            bytesOutPerSecond = rate(bytesOut)
        }
    }

    struct Listener: Encodable {
        let name: String
        let state: String
        let active: Int
        let rates: Rates
    }

    struct Server: Encodable {
        let upstream: String
        let address: String
        let state: String
        let mode: String
        let active: Int
        let rates: Rates
    }

    struct Worker: Encodable {
        let index: Int
        let sessions: Int
        let busyShare: Double
    }

    let timestampUSec: Int
    let intervalUSec: Int
    let version: String
    let startTimestampUSec: Int
    let state: String
    let active: Int
    let maxSessions: Int
    let rates: Rates
    let listeners: [Listener]
    let servers: [Server]
    let workers: [Worker]

    init(from former: Snapshot, to present: Snapshot) {
        let seconds = max((present.instant - former.instant) / .seconds(1), 0.001)
        let (before, status) = (former.status, present.status)
        timestampUSec = present.timestamp
        intervalUSec = Int(seconds * 1_000_000)
        version = status.version
        startTimestampUSec = status.startTimestampUSec
        state = status.state.rawValue
        active = status.totals.active
        maxSessions = status.totals.maxSessions
        rates = Rates(
            sessions: status.totals.accepted - before.totals.accepted,
            bytesIn: status.totals.bytesIn - before.totals.bytesIn,
            bytesOut: status.totals.bytesOut - before.totals.bytesOut,
            seconds: seconds
        )
        listeners = status.listeners.map { listener in
            let old = before.listeners.first { $0.name == listener.name }
            return Listener(listener, since: old, seconds: seconds)
        }
        servers = status.upstreams.flatMap { upstream in
            let old = before.upstreams.first { $0.name == upstream.name }
            return upstream.servers.map { server in
                let old = old?.servers.first { $0.address == server.address }
                return Server(server, of: upstream.name, since: old, seconds: seconds)
            }
        }
        workers = status.workers.map { worker in
            Worker(index: worker.index, sessions: worker.sessions, busyShare: worker.busyShare)
        }
    }
}

extension TopSample.Listener {
    fileprivate init(_ listener: Status.Listener, since old: Status.Listener?, seconds: Double) {
        name = listener.name
        state = listener.state.rawValue
        active = listener.active
        rates = TopSample.Rates(
            sessions: listener.accepted - (old?.accepted ?? 0),
            bytesIn: listener.bytesIn - (old?.bytesIn ?? 0),
            bytesOut: listener.bytesOut - (old?.bytesOut ?? 0),
            seconds: seconds
        )
    }
}

extension TopSample.Server {
    fileprivate init(
        _ server: Status.Server,
        of upstream: String,
        since old: Status.Server?,
        seconds: Double
    ) {
        self.upstream = upstream
        address = server.address
        state = server.state.rawValue
        mode = server.mode.rawValue
        active = server.active
        rates = TopSample.Rates(
            sessions: server.sessions - (old?.sessions ?? 0),
            bytesIn: server.bytesIn - (old?.bytesIn ?? 0),
            bytesOut: server.bytesOut - (old?.bytesOut ?? 0),
            seconds: seconds
        )
    }
}

// MARK: - Text

extension TopSample {
    /// Returns two lines about the whole daemon, then tables of listeners, servers and workers.
    func lines(header: Bool, on terminal: Terminal) -> [DisplayText] {
        let age = formatSpan(microseconds: timestampUSec - startTimestampUSec)
        var lines: [DisplayText] = [
            "\(terminal.styled("verypolld", .bold)) \(version) - \(state), up \(age)",
            """
            \(active) of \(maxSessions) sessions, \(formatRate(rates.sessionsPerSecond)), \
            \(byteRate(rates.bytesInPerSecond)) in, \(byteRate(rates.bytesOutPerSecond)) out
            """,
        ]
        for table in [listenerTable, serverTable, workerTable] where !table.isEmpty {
            lines += [""] + table.lines(header: header, on: terminal)
        }
        return lines
    }

    private var listenerTable: Table {
        var table = Table(
            ("LISTENER", .left),
            ("STATE", .left),
            ("SESSIONS", .right),
            ("SESSIONS/S", .right),
            ("IN/S", .right),
            ("OUT/S", .right)
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
            ("SESSIONS/S", .right),
            ("IN/S", .right),
            ("OUT/S", .right)
        )
        for server in servers {
            let isUp = server.mode == "up" && server.state == "up"
            let state = stateWords(server.state, mode: server.mode)
            table.append(
                Table.Cell(server.upstream, .bold),
                Table.Cell(server.address),
                Table.Cell(state, isUp ? .green : .red),
                "\(server.active)",
                Table.Cell(formatNumber(server.rates.sessionsPerSecond)),
                Table.Cell(formatByteCount(Int(server.rates.bytesInPerSecond))),
                Table.Cell(formatByteCount(Int(server.rates.bytesOutPerSecond)))
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
