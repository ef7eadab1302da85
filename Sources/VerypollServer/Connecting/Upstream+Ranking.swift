internal import Synchronization
package import VerypollConfiguration

/// A server's place in the order in which an upstream chooses its servers for a key.
package struct RankedServer: Equatable, Sendable {
    /// The index of the server.
    package let index: Int
    /// Whether sessions can get the server, at the latest when the servers before it are down.
    package let isUsable: Bool
    /// Whether the server has reached its limit.
    package let isFull: Bool
    /// The weight that counts now, in units of the configuration; it is less than the server's own
    /// weight during a slow start.
    package let weight: Double
}

extension Upstream {
    /// Returns all servers in the order in which `sourceHash` chooses them for a key at this
    /// moment.
    ///
    /// The first one is chosen now, if it is usable. If it goes down, the next usable one follows.
    /// Servers that are not usable come last, in the order in which they would be chosen.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - now: The millisecond of the monotonic clock.
    /// - Returns: The servers.
    package func ranking(for key: HashedKey, now: UInt64) -> [RankedServer] {
        let key =
            switch key {
            case .address(let address): SourceHash.key(address)
            case .serverName(let name): SourceHash.key(serverName: Array(name.utf8))
            }
        let weights = servers.indices.map { candidate($0, now: now).weight }
        // Servers that a service no longer names are left out.
        let order = choice.withLock { $0.balancer.order(weights: weights, key: key) }
            .filter { tiers[$0] != nil }
        let standings = servers.indices.map { standing(of: $0, now: now) }
        let room = servers.map(\.hasRoom)
        let bestFull = zip(standings, room).filter { !$1 }.map(\.0).max() ?? .excluded
        // As in `pick`: a session passes over a full server, but not for an ejected one.
        let isUsable = servers.indices.map { index in
            let standing = standings[index]
            return room[index] && standing > .excluded
                && (standing >= bestFull || standing.isAvailable)
        }
        let usable = order.filter { isUsable[$0] }
        let ranked = Dictionary(grouping: usable) { standings[$0] }
            .sorted { $0.key > $1.key }.flatMap(\.value)
        return (ranked + order.filter { !isUsable[$0] }).map { index in
            RankedServer(
                index: index,
                isUsable: isUsable[index],
                isFull: !room[index],
                weight: Double(weights[index]) / Double(SlowStart.unit)
            )
        }
    }
}
