package import Synchronization
internal import Verypoll
package import VerypollConfiguration

/// A group of equivalent servers and the distribution of sessions to them, for all workers at once.
package final class Upstream: Sendable {
    /// The most sessions that wait for the upstream's limiter; further sessions are refused.
    ///
    /// The number is fixed: a waiting session costs no more than an idle one, and sessions further
    /// back would give up before their turn.
    static let queueLimit = 1024

    package let name: String
    package let configuration: UpstreamConfiguration
    /// The servers, in the order of the configuration.
    package let servers: [UpstreamServer]
    /// In milliseconds.
    let connectTimeout: UInt64
    let slowStart: SlowStart
    /// The time for which a session is held while no server can be reached, in milliseconds.
    let retryFor: UInt64
    let whenDown: UpstreamConfiguration.WhenDown
    let proxyHeader: UpstreamConfiguration.ProxyHeader
    let hashKey: UpstreamConfiguration.HashKey
    /// Counts the sessions against the limit of the upstream.
    package let limiter: SessionLimiter
    /// The sessions that wait for the limiter, at most ``queueLimit``.
    package let waiting = Atomic(0)
    /// The sessions refused since the start.
    package let refusals: RefusalCounters
    /// The waits and retries since the start.
    package let counters: UpstreamCounters

    /// The state of the choice of a server, allocated once.
    struct Choice {
        var balancer: Balancer
        var standings: [Standing]
        var candidates: [Balancer.Candidate?]
    }

    let choice: Mutex<Choice>

    /// Makes an upstream from its configuration.
    ///
    /// - Parameters:
    ///   - configuration: The upstream's part of the configuration file.
    ///   - workers: The number of workers.
    ///   - former: The upstream that this one replaces; servers that are in both are shared.
    package init(_ configuration: UpstreamConfiguration, workers: Int = 1, former: Upstream? = nil)
    {
        self.configuration = configuration
        name = configuration.name
        let passive = configuration.passive
        let known = Dictionary(grouping: former?.servers ?? [], by: \.target)
        servers = configuration.servers.map { server in
            known[server.address]?.first { $0.isSame(as: server, passive: passive) }
                ?? UpstreamServer(
                    server,
                    passive: passive,
                    workers: workers,
                    former: known[server.address]?.first
                )
        }
        slowStart = SlowStart(duration: configuration.slowStart?.milliseconds ?? 0)
        connectTimeout = configuration.connectTimeout.milliseconds
        retryFor = configuration.retry.duration.milliseconds
        whenDown = configuration.whenDown
        proxyHeader = configuration.proxyProtocol
        hashKey = configuration.hashKey
        refusals = former?.refusals ?? RefusalCounters()
        counters = former?.counters ?? UpstreamCounters()
        limiter = former?.limiter ?? SessionLimiter(limit: configuration.maxSessions ?? .max)
        let balancer = Balancer(
            configuration.balance,
            names: servers.map(\.name),
            seed: .random(in: 0 ... .max)
        )
        choice = Mutex(
            Choice(
                balancer: balancer,
                standings: Array(repeating: .excluded, count: servers.count),
                candidates: Array(repeating: nil, count: servers.count)
            )
        )
    }

    /// Applies the configured limits and weights, also to parts that a former upstream shares.
    package func applyLimits() {
        limiter.limit = configuration.maxSessions ?? .max
        for (server, configuration) in zip(servers, configuration.servers) {
            server.apply(configuration)
        }
    }

    /// Returns the orders that the configuration has changed, with the indices of their servers.
    package func newOrders() -> [(server: Int, order: ServerOrder)] {
        servers.indices.compactMap { index in
            servers[index].newOrder(configuration.servers[index]).map { (index, $0) }
        }
    }

    /// Whether the name of some server is being looked up for the first time; if no other server is
    /// available, waiting for that makes sense.
    var awaitsNames: Bool {
        servers.contains { $0.awaitsName && !$0.isDown }
    }

    /// Counts a session that begins to wait for the limiter; returns `false` if the queue is full.
    func enterQueue() -> Bool {
        let before = waiting.add(1, ordering: .relaxed).oldValue
        guard before >= Self.queueLimit else { return true }
        leaveQueue()
        return false
    }

    /// Notes that a session no longer waits in the queue.
    func leaveQueue() {
        waiting.subtract(1, ordering: .relaxed)
    }
}
