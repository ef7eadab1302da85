internal import Varlink

/// The parameters of `ListSessions`.
package struct SessionQuery: CallParameters, Codable, Hashable {
    /// The valid limits.
    package static let limits = 1...10_000

    /// The limit of a query without one.
    package static let defaultLimit = 1000

    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case listener
        case upstream
        case peer
        case limit
        case server
        case serverName
    }

    package var listener: String?
    package var upstream: String?
    package var peer: String?
    package var limit: Int?
    package var server: String?
    package var serverName: String?

    /// Makes a query from its fields; a field of `nil` does not narrow the list.
    package init(
        listener: String? = nil,
        upstream: String? = nil,
        peer: String? = nil,
        limit: Int? = nil,
        server: String? = nil,
        serverName: String? = nil
    ) {
        self.listener = listener
        self.upstream = upstream
        self.peer = peer
        self.limit = limit
        self.server = server
        self.serverName = serverName
    }

    /// The most sessions in the reply.
    package var effectiveLimit: Int { limit ?? Self.defaultLimit }
}

/// The parameters of `KillSessions`.
package struct KillRequest: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case listener
        case upstream
        case server
        case peer
        case serverName
        case all
    }

    package var listener: String?
    package var upstream: String?
    package var server: String?
    package var peer: String?
    package var serverName: String?
    package var all: Bool?

    /// Makes a request from the criteria of a query, or for all sessions.
    package init(_ query: SessionQuery, all: Bool? = nil) {
        listener = query.listener
        upstream = query.upstream
        server = query.server
        peer = query.peer
        serverName = query.serverName
        self.all = all
    }

    /// The criteria.
    package var query: SessionQuery {
        SessionQuery(
            listener: listener,
            upstream: upstream,
            peer: peer,
            server: server,
            serverName: serverName
        )
    }

    /// Whether the request has either criteria or `all`.
    package var isClear: Bool { (all == true) == (query == SessionQuery()) }
}

/// The reply of `KillSessions`.
package struct KillCount: Codable, Hashable, Sendable {
    package var count: Int

    /// Makes a reply from the number of closed sessions.
    package init(count: Int) {
        self.count = count
    }
}

/// The parameters of `GetSession` and of `KillSession`.
package struct SessionID: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case id
    }

    package var id: Int

    /// Makes the parameters from the number of a session.
    package init(id: Int) {
        self.id = id
    }
}
