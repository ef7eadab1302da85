internal import Synchronization
internal import VerypollConfiguration
internal import VerypollServer

extension MetricsSnapshot.Upstream {
    init(_ upstream: Upstream) {
        self.init(
            name: upstream.name,
            active: upstream.limiter.active,
            waiting: upstream.waiting,
            maxSessions: upstream.configuration.maxSessions,
            refusals: UpstreamRefusal.allCases.map { ($0, upstream.refusals.count(of: $0)) },
            queueWait: upstream.counters.queueWait.histogram,
            retries: upstream.counters.retries.load(ordering: .relaxed)
        )
    }
}

extension MetricsSnapshot.Server {
    init(_ server: UpstreamServer, of upstream: Upstream, now: UInt64) {
        func count(_ counter: borrowing Atomic<Int>) -> UInt64 {
            UInt64(counter.load(ordering: .relaxed))
        }
        let tally = server.tally
        let isChecked = upstream.configuration.check != nil
        let hasResult = isChecked && !server.awaitsFirstCheck
        self.init(
            upstream: upstream.name,
            address: server.name,
            isUp: server.isAvailable(now: now),
            active: server.active.load(ordering: .relaxed),
            sessions: count(server.counters.sessions),
            failures: count(server.counters.failures),
            bytesIn: tally.bytesIn,
            bytesOut: tally.bytesOut,
            connectTime: server.counters.connectTime.histogram,
            errors: server.counters.errors.values,
            isHealthy: hasResult ? !server.isDown : nil,
            checks: isChecked
                ? MetricsSnapshot.Checks(
                    succeeded: count(server.counters.checkSuccesses),
                    failed: count(server.counters.checkFailures),
                    time: server.counters.checkTime.histogram
                ) : nil,
            adminState: server.ordered,
            maxSessions: server.maxSessions
        )
    }
}
