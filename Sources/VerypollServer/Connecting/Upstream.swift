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
    /// The time for which a session is held while no server can be reached, in milliseconds.
    let retryFor: UInt64
    let whenDown: UpstreamConfiguration.WhenDown
    let proxyHeader: UpstreamConfiguration.ProxyHeader
    /// Counts the sessions against the limit of the upstream.
    package let limiter: SessionLimiter
    /// The sessions that wait for the limiter, at most ``queueLimit``.
    package let waiting = Atomic(0)
    /// The sessions refused since the start.
    package let refusals: RefusalCounters
    /// The waits and retries since the start.
    package let counters: UpstreamCounters

    /// The state of the choice of a server, allocated once.
    private struct Choice {
        var balancer: Balancer
        var standings: [Standing]
        var candidates: [Balancer.Candidate?]
    }

    private let choice: Mutex<Choice>

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
                ?? UpstreamServer(server, passive: passive, workers: workers)
        }
        connectTimeout = configuration.connectTimeout.milliseconds
        retryFor = configuration.retry.duration.milliseconds
        whenDown = configuration.whenDown
        proxyHeader = configuration.proxyProtocol
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

    /// Applies the configured limit and weights, also to parts that a former upstream shares.
    package func applyLimits() {
        limiter.limit = configuration.maxSessions ?? .max
        for (server, configuration) in zip(servers, configuration.servers) {
            server.apply(configuration)
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

    /// Chooses a server, and adds a session to the server's count.
    ///
    /// Available servers are chosen first, then available backups, then ejected servers. Ejected
    /// servers are used if there is no other, because an ejection is only a guess. So an upstream's
    /// only server is always tried. Servers that are down according to their checks are not used.
    ///
    /// - Parameters:
    ///   - source: The client's address, `nil` for a client without one.
    ///   - tried: Servers that must not be chosen.
    ///   - now: The millisecond of the monotonic clock.
    /// - Returns: The index of a server; the caller must call ``UpstreamServer/leave()`` when the
    ///   session leaves it. `nil` if no server can be chosen.
    func pick(source: IPAddress?, excluding tried: [Int], now: UInt64) -> Int? {
        choice.withLock { choice in
            var best = Standing.excluded
            for index in servers.indices {
                let standing =
                    tried.contains(index) ? .excluded : Standing(servers[index], now: now)
                choice.standings[index] = standing
                best = max(best, standing)
            }
            guard best > .excluded else { return nil }
            for index in servers.indices {
                choice.candidates[index] =
                    choice.standings[index] == best ? Balancer.Candidate(servers[index]) : nil
            }
            let chosen = choice.balancer.pick(choice.candidates, source: source)
            // Within the lock, so that the next choice sees it.
            if let chosen { servers[chosen].active.add(1, ordering: .relaxed) }
            return chosen
        }
    }
}

extension Upstream {
    /// Whether a server can be chosen that is neither `server` nor among those that were tried.
    func hasServer(besides server: Int, excluding tried: [Int]) -> Bool {
        for index in servers.indices where index != server && servers[index].isChoosable {
            if !tried.contains(index) { return true }
        }
        return false
    }
}

/// The priority of a server; the servers of the highest priority share the sessions.
private enum Standing: UInt8, Comparable {
    case excluded
    case removed
    case ejectedBackup
    case ejected
    case backup
    case available

    init(_ server: UpstreamServer, now: UInt64) {
        if server.ordered != .up || server.isDown || server.isUnresolved {
            self = .excluded
        } else if server.isRemoved {
            self = .removed
        } else if server.isEjected(now: now) {
            self = server.isBackup ? .ejectedBackup : .ejected
        } else {
            self = server.isBackup ? .backup : .available
        }
    }

    static func < (left: Standing, right: Standing) -> Bool { left.rawValue < right.rawValue }
}

extension Balancer.Candidate {
    fileprivate init(_ server: UpstreamServer) {
        self.init(
            weight: server.weight.load(ordering: .relaxed),
            active: server.active.load(ordering: .relaxed)
        )
    }
}
