internal import Synchronization
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension UpstreamMonitor {
    /// The last known state of a server.
    struct ServerHealth {
        let state: Status.Server.State
        /// The time at which the state was first seen, in microseconds since 1970.
        let since: Int
    }

    /// A change of a server's state.
    struct Change {
        let upstream: String
        /// The status of the server after the change.
        let server: Status.Server
    }

    /// Returns the status of the upstreams in effect, sorted by name.
    mutating func status() -> [Status.Upstream] {
        var list: [Status.Upstream] = []
        for index in slots {
            let upstream = upstreams[index]
            var servers: [Status.Server] = []
            for position in upstream.listed {
                servers.append(status(of: ServerIndex(upstream: index, server: position)))
            }
            list.append(
                Status.Upstream(
                    name: upstream.name,
                    balance: upstream.configuration.balance.rawValue,
                    active: upstream.limiter.active,
                    maxSessions: upstream.configuration.maxSessions,
                    waiting: upstream.waiting,
                    servers: servers,
                    hashKey: upstream.configuration.balance == .sourceHash
                        ? upstream.configuration.hashKey.rawValue : nil
                )
            )
        }
        return list.sorted { $0.name < $1.name }
    }

    /// Returns whether an upstream is in effect, or is a former one that still has sessions.
    func hasUpstream(_ name: String) -> Bool {
        current.contains { $0.name == name }
            || former.contains { upstream in
                let waiting = upstream.waiting
                return upstream.name == name && upstream.limiter.active + waiting > 0
            }
    }

    /// Returns whether a server is in effect, or is a former one that still has sessions.
    ///
    /// - Parameters:
    ///   - name: The address of the server, as in the configuration.
    ///   - upstream: The name of its upstream; `nil` for any.
    /// - Returns: Whether sessions can have the server.
    func hasServer(_ name: String, of upstream: String?) -> Bool {
        current.contains { other in
            upstream ?? other.name == other.name && other.servers.contains { $0.name == name }
        }
            || former.contains { other in
                upstream ?? other.name == other.name
                    && other.servers.contains { server in
                        server.name == name && server.active.load(ordering: .relaxed) > 0
                    }
            }
    }

    /// The upstreams of earlier configurations, with or without sessions.
    private var former: [Upstream] {
        let present = Set(slots)
        return upstreams.indices.filter { !present.contains($0) }.map { upstreams[$0] }
    }

    /// Notes for the operator: one for each upstream with servers that are not up.
    var notes: [String] {
        current.compactMap { upstream in
            let upCount = upstream.listedServers.count { $0.state.isAvailable }
            let count = upstream.listed.count
            guard upCount < count || count == 0 else { return nil }
            return "upstream \(upstream.name): \(upCount) of \(count) servers up"
        }
    }

    /// Notes the current state of a server.
    @discardableResult
    mutating func look(at index: ServerIndex) -> ServerHealth {
        enter(upstreams[index].state, of: index, at: WallClock.microseconds())
    }

    /// Notes the state of a server and its time, unless the server was already in that state.
    @discardableResult
    mutating func enter(
        _ state: Status.Server.State,
        of index: ServerIndex,
        at timestamp: Int
    ) -> ServerHealth {
        let known = serverHealth[index]
        if let known, known.state == state { return known }
        let health = ServerHealth(state: state, since: timestamp)
        serverHealth[index] = health
        // A server that was available and still is gets sessions as before: a first check, or its
        // success, is not an event.
        let wasAvailable = known?.state.isAvailable ?? false
        if isMonitored, !(wasAvailable && state.isAvailable) {
            let upstream = upstreams[index.upstream].name
            changes.append(Change(upstream: upstream, server: describe(index, health)))
        }
        return health
    }

    /// Returns the status of a server.
    mutating func status(of index: ServerIndex) -> Status.Server {
        let health = look(at: index)
        return describe(index, health)
    }

    private func describe(_ index: ServerIndex, _ health: ServerHealth) -> Status.Server {
        let server = upstreams[index]
        let tally = server.tally
        let reason: String? =
            switch health.state {
            case .up, .unchecked: nil
            case .down: checker.failure(of: index)
            case .ejected: Self.ejectionReason
            case .unresolved: resolver.failure(of: index)?.description ?? "looking up its name"
            }
        let settings = upstreams[index.upstream].settings[index.server]
        var status = Status.Server(
            address: server.name,
            resolvedAddresses: server.addresses.map(\.description),
            weight: server.weight.load(ordering: .relaxed),
            backup: settings?.backup ?? server.isBackup,
            mode: server.mode,
            state: health.state,
            stateReason: reason,
            stateTimestampUSec: health.since,
            active: server.active.load(ordering: .relaxed),
            sessions: server.counters.sessions.load(ordering: .relaxed),
            failures: server.counters.failures.load(ordering: .relaxed),
            bytesIn: Int(clamping: tally.bytesIn),
            bytesOut: Int(clamping: tally.bytesOut),
            check: upstreams[index.upstream].configuration.check?.kind.rawValue,
            maxSessions: server.maxSessions,
            lastCheck: checker.lastCheck(of: index).map(Status.Check.init)
        )
        status.srv = settings?.origin?.service
        status.target = settings?.origin?.target
        status.priority = settings?.origin?.priority
        return status
    }
}

extension Status.Check {
    fileprivate init(_ result: CheckResult) {
        self.init(
            succeeded: result.failure == nil,
            reason: result.failure,
            timestampUSec: result.timestamp,
            durationUSec: Int(result.duration / .microseconds(1))
        )
    }
}

extension UpstreamServer {
    var state: Status.Server.State {
        let state = stateButForEjection
        return state.isAvailable && isEjected(now: MonotonicClock.milliseconds()) ? .ejected : state
    }

    /// The state of the server, regardless of an ejection.
    var stateButForEjection: Status.Server.State {
        if isUnresolved { return .unresolved }
        if isDown { return .down }
        return awaitsFirstCheck ? .unchecked : .up
    }
}
