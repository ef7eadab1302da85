internal import Synchronization
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
    /// The servers, by the indices that sessions know; see ``ServerPlaces``.
    package let servers: [UpstreamServer]
    /// The settings of the servers; `nil` for one that is kept for its sessions only.
    package let settings: [UpstreamConfiguration.Server?]
    /// The indices of the servers in effect, in the order of the configuration.
    package let listed: [Int]
    /// The tiers of the servers; `nil` for one that is not in effect.
    let tiers: [Int?]
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
    private let queue: SharedCount
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
    ///   - keepsSlot: Whether the sessions of `former` become sessions of this upstream, so that
    ///     the servers keep their indices. All workers must have adopted `former`.
    package init(
        _ configuration: UpstreamConfiguration,
        workers: Int = 1,
        former: Upstream? = nil,
        keepsSlot: Bool = false
    ) {
        self.configuration = configuration
        name = configuration.name
        let predecessor = keepsSlot ? former : nil
        let places =
            predecessor.map { ServerPlaces(configuration, workers: workers, replacing: $0) }
            ?? ServerPlaces(configuration, workers: workers, former: former)
        servers = places.servers
        settings = places.settings
        listed = places.listed
        tiers = places.settings.map { $0.flatMap { $0.isProvisional ? nil : $0.tier } }
        queue = predecessor?.queue ?? SharedCount()
        slowStart = SlowStart(duration: configuration.slowStart?.milliseconds ?? 0)
        connectTimeout = configuration.connectTimeout.milliseconds
        retryFor = configuration.retry.duration.milliseconds
        whenDown = configuration.whenDown
        proxyHeader = configuration.proxyProtocol
        hashKey = configuration.hashKey
        refusals = former?.refusals ?? RefusalCounters()
        counters = former?.counters ?? UpstreamCounters()
        limiter = former?.limiter ?? SessionLimiter(limit: configuration.maxSessions ?? .max)
        var balancer = Balancer(
            configuration.balance,
            names: servers.map(\.name),
            seed: .random(in: 0 ... .max)
        )
        if let predecessor { balancer.resume(predecessor.turns(for: places.servers)) }
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
        for (server, settings) in zip(servers, settings) {
            guard let settings else { continue }
            server.apply(settings)
            server.isRemoved = false  // A server that is named again is in service again.
        }
    }

    /// Returns the orders that the configuration has changed, with the indices of their servers.
    package func newOrders() -> [(server: Int, order: ServerOrder)] {
        listed.compactMap { index in
            guard let settings = settings[index] else { return nil }
            return servers[index].newOrder(settings).map { (index, $0) }
        }
    }

    /// The servers in effect, in the order of the configuration.
    package var listedServers: [UpstreamServer] { listed.map { servers[$0] } }

    /// The indices of the servers that the configuration no longer has.
    package var removed: [Int] { settings.indices.filter { settings[$0] == nil } }

    /// Returns whether a server is in effect, so that sessions may choose it.
    package func isListed(_ index: Int) -> Bool { tiers[index] != nil }

    /// Whether a service, or the name of some server, is being looked up for the first time; if no
    /// other server is available, waiting for that makes sense.
    var awaitsNames: Bool {
        configuration.awaitsServices || servers.contains { $0.awaitsName && !$0.isDown }
    }

    /// The number of sessions that wait for the limiter.
    package var waiting: Int { queue.value.load(ordering: .relaxed) }

    /// Counts a session that begins to wait for the limiter; returns `false` if the queue is full.
    package func enterQueue() -> Bool {
        let before = queue.value.add(1, ordering: .relaxed).oldValue
        guard before >= Self.queueLimit else { return true }
        leaveQueue()
        return false
    }

    /// Notes that a session no longer waits in the queue.
    func leaveQueue() {
        queue.value.subtract(1, ordering: .relaxed)
    }
}
