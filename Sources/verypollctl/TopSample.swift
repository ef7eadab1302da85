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
    private(set) var listeners: [Listener]
    private(set) var servers: [Server]
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

// MARK: - Order

/// The order of the listeners and servers.
enum TopOrder: String, CaseIterable, Sendable {
    /// The order of the names and of the configuration.
    case name
    case sessions
    /// The rate of new sessions.
    case new
    /// The rate of bytes from clients, and to servers.
    case bytesIn = "in"
    /// The rate of bytes to clients, and from servers.
    case bytesOut = "out"

    /// The key that selects the order.
    var key: UInt8 {
        switch self {
        case .name: UInt8(ascii: "n")
        case .sessions: UInt8(ascii: "s")
        case .new: UInt8(ascii: "w")
        case .bytesIn: UInt8(ascii: "i")
        case .bytesOut: UInt8(ascii: "o")
        }
    }
}

extension TopSample {
    /// Returns the sample with sorted listeners and servers, those with the highest numbers first.
    func sorted(by order: TopOrder) -> TopSample {
        guard order != .name else { return self }
        var sample = self
        // The sort is stable, so that equal rows do not jump.
        sample.listeners.sort { $0.rank(in: order) > $1.rank(in: order) }
        sample.servers.sort { $0.rank(in: order) > $1.rank(in: order) }
        return sample
    }
}

extension TopSample.Listener {
    fileprivate func rank(in order: TopOrder) -> Double {
        switch order {
        case .name: 0
        case .sessions: Double(active)
        case .new: rates.sessionsPerSecond
        case .bytesIn: rates.bytesInPerSecond
        case .bytesOut: rates.bytesOutPerSecond
        }
    }
}

extension TopSample.Server {
    fileprivate func rank(in order: TopOrder) -> Double {
        switch order {
        case .name: 0
        case .sessions: Double(active)
        case .new: rates.sessionsPerSecond
        // The rates are those from and to the server.
        case .bytesIn: rates.bytesOutPerSecond
        case .bytesOut: rates.bytesInPerSecond
        }
    }
}
