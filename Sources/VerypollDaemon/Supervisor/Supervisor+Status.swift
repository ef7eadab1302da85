internal import Glibc
internal import Logging
internal import Synchronization
internal import SystemPackage
internal import Varlink
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension Supervisor: ControlHandler {
    func status() -> Status {
        // Read this before the tallies, so that they include all sessions that have ended by now.
        let active = workers.totalLimiter.active
        let tally = live.totalTally
        return Status(
            version: Release.version,
            pid: Int(getpid()),
            startTimestampUSec: startedAt,
            configurationPath: loaded.path,
            logLevel: logLevel.rawValue,
            state: state,
            drainDeadlineTimestampUSec: drainDeadlineTimestamp,
            note: note,
            listeners: listeners(),
            upstreams: upstreams(),
            workers: workers.counters.enumerated().map { index, counters in
                let tally = counters.tally
                return Status.Worker(
                    index: index,
                    sessions: Int(tally.sessions),
                    polls: Int(tally.polls),
                    events: Int(tally.events),
                    wakeUps: Int(tally.wakeUps),
                    busyShare: busyShares.values[index]
                )
            },
            totals: Status.Totals(
                active: active,
                maxSessions: workers.totalLimiter.limit,
                accepted: Int(tally.accepted),
                rejected: Int(tally.rejected),
                bytesIn: Int(tally.bytesIn),
                bytesOut: Int(tally.bytesOut)
            ),
            lastReload: reloadHistory.last,
            configurationHash: configurationHash,
            configurationReadTimestampUSec: loaded.readAt,
            lateChange: changes.rollouts.note(workers: workers.count),
            configurationFiles: loaded.path.map { _ in
                Array(loaded.paths.prefix(Status.configurationFileLimit))
            }
        )
    }

    func listeners() -> [Status.Listener] {
        live.listeners.map(status).sorted { $0.name < $1.name }
    }

    func upstreams() -> [Status.Upstream] {
        upstreamMonitor.status().map { upstream in
            var upstream = upstream
            upstream.services = services(of: upstream)
            return upstream
        }
    }

    func rankings(_ request: RankingRequest) throws(VarlinkError) -> [Status.Ranking] {
        let key: HashedKey
        do throws(InvalidValue) {
            key = try HashedKey(request.key)
        } catch {
            throw .invalidParameter("key")
        }
        if let name = request.upstream, !upstreamMonitor.isInEffect(name) {
            throw .upstreamNotFound(name)
        }
        return upstreamMonitor.rankings(for: key, upstream: request.upstream)
    }

    func routings() -> [Status.Routing] {
        live.listeners.compactMap(routing).sorted { $0.listener < $1.listener }
    }

    private func routing(of entry: LiveListener) -> Status.Routing? {
        guard let router = live.listener(of: entry).router,
            let routing = entry.configuration.handler.routing
        else { return nil }
        return Status.Routing(
            listener: entry.name,
            inspect: routing.inspection.rawValue,
            routes: zip(routing.routes, router.routes).map { route, entry in
                Status.Route(
                    name: route.name,
                    serverNames: route.serverNames?.map(\.description),
                    alpn: route.alpn,
                    upstream: route.upstream,
                    active: entry.counter.active.load(ordering: .relaxed),
                    sessions: Int(entry.counter.sessions.load(ordering: .relaxed))
                )
            },
            upstream: routing.upstream,
            notTLS: routing.notTLS
        )
    }

    var entryCount: Int {
        live.upstreams.reduce(live.listeners.count) { $0 + $1.configuration.servers.count }
    }

    func metrics() -> @Sendable () -> MetricsText {
        let snapshot = metricsSnapshot()
        return {
            let text = snapshot.exposition(in: .openMetrics)
            return MetricsText(text: String(decoding: text, as: UTF8.self))
        }
    }

    func reportedMetrics() -> @Sendable () -> [ReportedMetric] {
        let snapshot = metricsSnapshot()
        return { MetricsReport(snapshot).metrics }
    }

    func reportedFamilies() -> @Sendable () -> [ReportedFamily] {
        { MetricsReport(MetricsSnapshot(version: Release.version)).families }
    }

    /// The state in one line, as systemctl(1) shows it: `2 listeners, 14 sessions`.
    var summary: String {
        let sessions = workers.totalLimiter.active
        let prefix = if case .draining = lifecycle.phase { "draining, " } else { "" }
        let text =
            "\(live.listeners.count) listener\(live.listeners.count == 1 ? "" : "s"), "
            + "\(sessions) session\(sessions == 1 ? "" : "s")"
        return prefix + text + (note.map { "; " + $0 } ?? "")
    }

    /// Conditions that an operator should know of; `nil` if there are none.
    private var note: String? {
        let pauses = live.listeners.compactMap { entry in
            pauseDescription(of: entry).map { "\(entry.name) paused: \($0)" }
        }
        let notes =
            [reload.refusal, changes.rollouts.note(workers: workers.count)].compactMap { $0 }
            + pauses
            + upstreamMonitor.notes
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }

    func status(of entry: LiveListener) -> Status.Listener {
        let active = live.listener(of: entry).limiter.active  // Before the tally, as in `status()`.
        let tally = live.tally(of: entry)
        let reason = pauseDescription(of: entry)
        let state: Status.Listener.State =
            switch lifecycle.phase {
            case .starting, .running:
                if entry.drain != nil {
                    active == 0 ? .drained : .draining
                } else {
                    reason == nil ? .accepting : .paused
                }
            case .draining: .draining
            case .stopping: .closed
            }
        return Status.Listener(
            name: entry.name,
            addresses: entry.addresses,
            handler: entry.configuration.handler.kind.rawValue,
            state: state,
            stateReason: reason,
            drainDeadlineTimestampUSec: active == 0 ? nil : entry.drain?.deadlineTimestamp,
            active: active,
            maxSessions: entry.configuration.maxSessions,
            accepted: Int(tally.accepted),
            rejected: Int(tally.rejected),
            bytesIn: Int(tally.bytesIn),
            bytesOut: Int(tally.bytesOut)
        )
    }

    /// Returns why a worker does not accept on a listener at present, or `nil` if all workers do.
    func pauseDescription(of entry: LiveListener) -> String? {
        guard lifecycle.isRunning, entry.drain == nil else { return nil }
        let listener = live.listener(of: entry)
        let reason = listener.counters.map(\.pauseReason).first { $0 != .none }
        return describe(reason ?? .none, of: entry)
    }

    /// Returns why a listener is paused, in words, or `nil` if it is not.
    func describe(_ reason: PauseReason, of entry: LiveListener) -> String? {
        guard reason != .none else { return nil }
        let listener = live.listener(of: entry)
        return reason.description(
            limit: listener.limiter.limit,
            total: workers.totalLimiter.limit + listener.reserve
        )
    }
}

extension Supervisor {
    /// The state of the daemon as a whole.
    fileprivate var state: Status.State {
        let isDrained = live.listeners.allSatisfy { $0.drain != nil }
        if lifecycle.isRunning, isDrained { return .draining }
        return lifecycle.phase.state
    }

    /// The time at which remaining sessions are closed, if the daemon stops or all listeners are
    /// drained.
    fileprivate var drainDeadlineTimestamp: Int? {
        switch lifecycle.phase {
        case .draining(let end), .stopping(let end):
            let left = (end - .now).milliseconds
            return WallClock.microseconds() + Int(clamping: left) * 1_000
        case .starting, .running:
            let drains = live.listeners.map(\.drain)
            guard !drains.contains(where: { $0 == nil }) else { return nil }
            return drains.compactMap { $0?.deadlineTimestamp }.max()
        }
    }
}

extension Lifecycle.Phase {
    fileprivate var state: Status.State {
        switch self {
        case .starting: .starting
        case .running: .running
        case .draining: .draining
        case .stopping: .stopping
        }
    }
}
