package import Synchronization
internal import Verypoll
package import VerypollConfiguration

/// Servers that do the same, and how sessions are spread over them, for all the workers at once.
package final class Upstream: Sendable {
    /// The most sessions of an upstream that wait for its limiter at a time; others are turned
    /// away.
    ///
    /// A fixed number: whoever waits costs no more than an idle session, and those behind so many
    /// would give up before it was their turn.
    static let queueLimit = 1024

    package let name: String
    package let configuration: UpstreamConfiguration
    /// In the order of the configuration.
    package let servers: [UpstreamServer]
    /// In milliseconds.
    let connectTimeout: UInt64
    /// How long a client is held while no server can be reached, in milliseconds.
    let retryFor: UInt64
    let whenDown: UpstreamConfiguration.WhenDown
    let proxyHeader: UpstreamConfiguration.ProxyHeader
    /// Counts the sessions against the limit of the upstream.
    package let limiter: SessionLimiter
    /// The sessions that wait for the limiter, at most ``queueLimit``.
    package let waiting = Atomic(0)
    /// The clients that were turned away since the start.
    package let refusals: RefusalCounters

    /// What the choice of a server needs, in storage that is made once.
    private struct Choice {
        var balancer: Balancer
        var standings: [Standing]
        var candidates: [Balancer.Candidate?]
    }

    private let choice: Mutex<Choice>

    /// Makes an upstream of its configuration.
    ///
    /// - Parameters:
    ///   - configuration: The upstream as the file has it.
    ///   - workers: How many workers there are.
    ///   - former: The upstream whose place it takes; servers that are in both go on.
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

    /// Puts the limit and the weights into effect on what it shares with a former upstream.
    package func applyLimits() {
        limiter.limit = configuration.maxSessions ?? .max
        for (server, configuration) in zip(servers, configuration.servers) {
            server.apply(configuration)
        }
    }

    /// Whether a server has no address yet because its name is still being looked up for the first
    /// time; then it is worth a wait where no other server is available.
    var awaitsNames: Bool {
        servers.contains { $0.awaitsName && !$0.isDown }
    }

    /// Counts a session in that waits for the limiter, or returns `false` if too many do.
    func enterQueue() -> Bool {
        let before = waiting.add(1, ordering: .relaxed).oldValue
        guard before >= Self.queueLimit else { return true }
        leaveQueue()
        return false
    }

    /// Counts a session out that waits no more.
    func leaveQueue() {
        waiting.subtract(1, ordering: .relaxed)
    }

    /// Chooses a server and counts the session in on it.
    ///
    /// Servers that are available come before backups, and available backups before servers that
    /// are ejected. Those are used where there is nothing else, as an ejection is a guess of ours:
    /// a lone server is never refused untried. Last come servers that a reload has removed, for
    /// sessions that began before it. Servers that are down by the checks are not used.
    ///
    /// - Parameters:
    ///   - source: The client's address, `nil` for a client without one.
    ///   - tried: Servers that are not to be chosen.
    ///   - now: The millisecond of the monotonic clock.
    /// - Returns: The index of a server, which ``UpstreamServer/leave()`` is due for, or `nil` if
    ///   there is none.
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
            // Within the lock, so that whoever chooses next sees it.
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

/// How willingly a server is chosen; the servers of the highest standing share the sessions.
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
