internal import Synchronization
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension Supervisor {
    /// Notes that a worker waits for metrics.
    func noteAsker(_ worker: Int, of format: MetricsFormat) {
        metricsAskers[format, default: []].append(worker)
    }

    /// Writes the metrics for the workers that have asked for them, once for all of a turn.
    func answerMetrics() {
        guard !metricsAskers.isEmpty else { return }
        let snapshot = metricsSnapshot()
        for (format, askers) in metricsAskers {
            let text = snapshot.exposition(in: format)
            for worker in askers { workers.mailboxes[worker].post(.metrics(text, format)) }
        }
        metricsAskers.removeAll()
    }

    /// All numbers at this moment.
    func metricsSnapshot() -> MetricsSnapshot {
        let now = MonotonicClock.nanoseconds() / 1_000_000
        return MetricsSnapshot(
            version: Release.version,
            startedAt: UInt64(startedAt),
            process: .current(),
            active: totalLimiter.active,
            maxSessions: totalLimiter.limit,
            listeners: live.listeners.map { entry in
                MetricsSnapshot.Listener(
                    name: entry.name,
                    active: live.listener(of: entry).limiter.active,
                    maxSessions: entry.configuration.maxSessions,
                    isPaused: pauseDescription(of: entry) != nil,
                    tally: live.tally(of: entry)
                )
            },
            upstreams: upstreamMonitor.current.map(MetricsSnapshot.Upstream.init),
            servers: upstreamMonitor.current.flatMap { upstream in
                upstream.servers.map { MetricsSnapshot.Server($0, of: upstream, now: now) }
            },
            workers: workers.counters.enumerated().map { index, counters in
                MetricsSnapshot.Worker(index: index, tally: counters.tally)
            }
        )
    }
}

extension MetricsSnapshot.Upstream {
    fileprivate init(_ upstream: Upstream) {
        self.init(
            name: upstream.name,
            active: upstream.limiter.active,
            waiting: upstream.waiting.load(ordering: .relaxed),
            maxSessions: upstream.configuration.maxSessions,
            refusals: UpstreamRefusal.allCases.map { ($0, upstream.refusals.count(of: $0)) }
        )
    }
}

extension MetricsSnapshot.Server {
    fileprivate init(_ server: UpstreamServer, of upstream: Upstream, now: UInt64) {
        func count(_ counter: borrowing Atomic<Int>) -> UInt64 {
            UInt64(counter.load(ordering: .relaxed))
        }
        let tally = server.tally
        self.init(
            upstream: upstream.name,
            address: server.name,
            isUp: server.isAvailable(now: now),
            active: server.active.load(ordering: .relaxed),
            sessions: count(server.counters.sessions),
            failures: count(server.counters.failures),
            bytesIn: tally.bytesIn,
            bytesOut: tally.bytesOut,
            connectTime: server.counters.connectTime.histogram
        )
    }
}
