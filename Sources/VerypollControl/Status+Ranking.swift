internal import Varlink

extension Status {
    /// The order in which an upstream chooses its servers for a key.
    package struct Ranking: Codable, Hashable, Sendable {
        package var upstream: String
        package var hashKey: String
        package var servers: [RankedServer]

        /// Makes a ranking from its fields.
        package init(upstream: String, hashKey: String, servers: [RankedServer]) {
            self.upstream = upstream
            self.hashKey = hashKey
            self.servers = servers
        }
    }

    /// A server in a ranking.
    package struct RankedServer: Codable, Hashable, Sendable {
        package var address: String
        package var usable: Bool
        package var weight: Double
        package var backup: Bool
        package var mode: Server.Mode
        package var state: Server.State
        package var full: Bool

        /// Makes a server from its fields.
        package init(
            address: String,
            usable: Bool,
            weight: Double,
            backup: Bool,
            mode: Server.Mode,
            state: Server.State,
            full: Bool
        ) {
            self.address = address
            self.usable = usable
            self.weight = weight
            self.backup = backup
            self.mode = mode
            self.state = state
            self.full = full
        }
    }
}

/// The parameters of `RankServers`.
package struct RankingRequest: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case key
        case upstream
    }

    package var key: String
    package var upstream: String?

    /// Makes the parameters; without an upstream, they mean all upstreams.
    package init(key: String, upstream: String? = nil) {
        self.key = key
        self.upstream = upstream
    }
}

/// The reply of `RankServers`.
package struct RankingList: Codable, Hashable, Sendable {
    package var rankings: [Status.Ranking]

    /// Makes a list from rankings in the order of their upstreams' names.
    package init(rankings: [Status.Ranking]) {
        self.rankings = rankings
    }
}
