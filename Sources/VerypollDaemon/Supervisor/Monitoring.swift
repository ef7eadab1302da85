#if Net && OSExt
internal import VerypollControl

/// What those who monitor the daemon have been told of its listeners and servers.
///
/// Both are looked at again and again while somebody does, as several causes change them: what is
/// back as it was before the next look is told all the same if its time stamp says so.
struct Monitoring {
    /// The time from look to look.
    private static let interval = Duration.milliseconds(100)

    /// A server by its names.
    private struct ServerName: Hashable {
        let upstream: String
        let address: String
    }

    /// What is told of a server.
    private struct ServerSight: Equatable {
        let getsSessions: Bool
        let timestamp: Int

        init(_ server: Status.Server) {
            getsSessions = server.state == .up && server.mode == .up
            timestamp = server.stateTimestampUSec
        }
    }

    /// When the next look is due; `nil` while nobody monitors.
    private(set) var dueAt: ContinuousClock.Instant?
    private var listeners: [String: Status.Listener] = [:]
    private var servers: [ServerName: ServerSight] = [:]
    /// What is to be told of configurations that were loaded.
    private var reloads: [MonitorEvent] = []

    /// Begins with what is told as the present.
    mutating func begin(with status: Status, now: ContinuousClock.Instant = .now) {
        guard dueAt == nil else { return }  // Others have to hear of changes first.
        dueAt = now + Self.interval
        _ = update(status.listeners, status.upstreams, timestamp: 0)
    }

    /// Ends when nobody monitors any more.
    mutating func end() {
        self = Monitoring()
    }

    /// Notes that a configuration was loaded.
    mutating func noteReload(_ changes: [ConfigurationChange]) {
        guard dueAt != nil else { return }
        var event = MonitorEvent(.reloaded, timestampUSec: WallClock.microseconds())
        event.changes = changes
        reloads.append(event)
    }

    /// Takes what is to be told of configurations that were loaded.
    mutating func takeReloads() -> [MonitorEvent] {
        defer { reloads = [] }
        return reloads
    }

    /// Notes the present and returns how it differs from what was told.
    mutating func look(
        at listeners: [Status.Listener],
        _ upstreams: [Status.Upstream],
        now: ContinuousClock.Instant = .now
    ) -> [MonitorEvent] {
        dueAt = now + Self.interval
        return update(listeners, upstreams, timestamp: WallClock.microseconds())
    }

    private mutating func update(
        _ present: [Status.Listener],
        _ upstreams: [Status.Upstream],
        timestamp: Int
    ) -> [MonitorEvent] {
        var events: [MonitorEvent] = []
        for listener in present where listeners[listener.name]?.isLike(listener) != true {
            events.append(MonitorEvent(listener, timestampUSec: timestamp))
        }
        let names = Set(present.map(\.name))
        for (name, var listener) in listeners.sorted(by: { $0.key < $1.key })
        where !names.contains(name) {
            listener.state = .closed
            events.append(MonitorEvent(listener, timestampUSec: timestamp))
        }
        listeners = Dictionary(present.map { ($0.name, $0) }) { first, _ in first }
        var sights: [ServerName: ServerSight] = [:]
        for upstream in upstreams {
            for server in upstream.servers {
                let name = ServerName(upstream: upstream.name, address: server.address)
                let sight = ServerSight(server)
                sights[name] = sight
                guard servers[name] != sight else { continue }
                var event = MonitorEvent(
                    sight.getsSessions ? .serverUp : .serverDown,
                    timestampUSec: server.stateTimestampUSec
                )
                event.upstream = upstream.name
                event.server = server
                events.append(event)
            }
        }
        servers = sights
        return events
    }
}

extension MonitorEvent {
    fileprivate init(_ listener: Status.Listener, timestampUSec: Int) {
        self.init(.listenerChanged, timestampUSec: timestampUSec)
        self.listener = listener
    }
}

extension Status.Listener {
    /// Whether nothing but counters is different.
    fileprivate func isLike(_ other: Status.Listener) -> Bool {
        state == other.state && stateReason == other.stateReason
            && hasDeadline(like: other)
            && addresses == other.addresses && handler == other.handler
            && maxSessions == other.maxSessions
    }

    /// Whether the deadlines are less than a second apart, as the clocks that make them are.
    private func hasDeadline(like other: Status.Listener) -> Bool {
        guard let deadline = drainDeadlineTimestampUSec,
            let another = other.drainDeadlineTimestampUSec
        else { return drainDeadlineTimestampUSec == other.drainDeadlineTimestampUSec }
        return abs(deadline - another) < 1_000_000
    }
}
#endif
