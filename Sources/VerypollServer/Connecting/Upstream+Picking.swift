internal import Synchronization

/// The result of the choice of a server.
enum ServerChoice: Equatable {
    /// The server with this index.
    case server(Int)
    /// All servers that could be chosen have reached their limits.
    case full
    /// No server can be chosen.
    case none
}

extension Upstream {
    /// Chooses a server, and adds a session to the server's count.
    ///
    /// Available servers of the first tier are chosen first, then those of the next ones and the
    /// backups, then ejected servers in the same order. Ejected servers are used if there is no
    /// other, because an ejection is only a guess. So an upstream's
    /// only server is always tried. Servers that are down according to their checks are not used.
    ///
    /// A server that has reached its limit is passed over, but only for a server that is not
    /// ejected: a session rather waits for a server that works.
    ///
    /// - Parameters:
    ///   - key: The key of the client, which `sourceHash` uses; see
    ///     ``Session/hashKey(for:)``.
    ///   - tried: Servers that must not be chosen.
    ///   - now: The millisecond of the monotonic clock.
    /// - Returns: The server; the caller must call ``UpstreamServer/leave()`` when the session
    ///   leaves it. If all servers are full, the next session that leaves one of them learns that
    ///   another session waits.
    func pick(key: UInt64, excluding tried: [Int], now: UInt64) -> ServerChoice {
        choice.withLock { choice in
            // Each turn fails only because another thread has changed a server's count meanwhile.
            while true {
                let (best, bestFull) = rank(&choice.standings, excluding: tried, now: now)
                guard best >= bestFull || best.isAvailable else {
                    if awaitRoom(above: best, excluding: tried, now: now) { continue }
                    return .full
                }
                guard best > .excluded else { return .none }
                for index in servers.indices {
                    choice.candidates[index] =
                        choice.standings[index] == best ? candidate(index, now: now) : nil
                }
                let chosen = choice.balancer.pick(choice.candidates, key: key)
                guard let chosen else { return .none }
                // Within the lock, so that the next choice sees it.
                if servers[chosen].enter() { return .server(chosen) }
            }
        }
    }

    /// Determines the standings of all servers with room.
    ///
    /// - Returns: The best standing, and the best one of the servers without room.
    private func rank(
        _ standings: inout [Standing],
        excluding tried: [Int],
        now: UInt64
    ) -> (best: Standing, bestFull: Standing) {
        var (best, bestFull) = (Standing.excluded, Standing.excluded)
        for index in servers.indices {
            let standing = tried.contains(index) ? .excluded : standing(of: index, now: now)
            let hasRoom = servers[index].hasRoom
            standings[index] = hasRoom ? standing : .excluded
            if hasRoom { best = max(best, standing) } else { bestFull = max(bestFull, standing) }
        }
        return (best, bestFull)
    }

    /// Makes the servers above a standing, which have no room, report the next session that leaves
    /// them.
    ///
    /// - Returns: Whether one of them has room after all.
    private func awaitRoom(above best: Standing, excluding tried: [Int], now: UInt64) -> Bool {
        var hasRoom = false
        for index in servers.indices where !tried.contains(index) {
            let isBetter = standing(of: index, now: now) > best
            if isBetter, servers[index].awaitRoom() { hasRoom = true }
        }
        return hasRoom
    }

    func standing(of index: Int, now: UInt64) -> Standing {
        // An upstream of an earlier configuration may use servers that this one has removed, but a
        // server that a service no longer names is not used.
        guard let tier = tiers[index] else { return .excluded }
        return Standing(servers[index], tier: tier, now: now)
    }

    func candidate(_ index: Int, now: UInt64) -> Balancer.Candidate {
        let server = servers[index]
        return Balancer.Candidate(
            weight: slowStart.weight(
                server.weight.load(ordering: .relaxed),
                since: server.upAgainSince,
                now: now
            ),
            active: server.active.load(ordering: .relaxed)
        )
    }

    /// Whether a server with room can be chosen that is neither `server` nor among those that were
    /// tried.
    func hasServer(besides server: Int, excluding tried: [Int]) -> Bool {
        for index in listed where index != server && servers[index].isChoosable {
            if !tried.contains(index), servers[index].hasRoom { return true }
        }
        return false
    }
}

/// The priority of a server; the servers of the highest priority share the sessions.
///
/// Available servers are better than ejected ones. Among each of the two, a lower tier is better.
struct Standing: Comparable, Hashable {
    /// More than the number of tiers.
    private static let tierCount = 1 << 20

    private let rank: Int

    private init(rank: Int) { self.rank = rank }

    static let excluded = Standing(rank: 0)
    static let removed = Standing(rank: 1)

    static func ejected(tier: Int) -> Standing { Standing(rank: 2 + tierCount - tier) }
    static func available(tier: Int) -> Standing { Standing(rank: 3 + 2 * tierCount - tier) }

    init(_ server: UpstreamServer, tier: Int, now: UInt64) {
        if server.ordered != .up || server.isDown || server.isUnresolved {
            self = .excluded
        } else if server.isRemoved {
            self = .removed
        } else if server.isEjected(now: now) {
            self = .ejected(tier: tier)
        } else {
            self = .available(tier: tier)
        }
    }

    /// Whether the server is neither ejected nor removed nor excluded.
    var isAvailable: Bool { rank >= 3 + Self.tierCount }

    static func < (left: Standing, right: Standing) -> Bool { left.rank < right.rank }
}
