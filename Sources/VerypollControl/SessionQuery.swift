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
    }

    package var listener: String?
    package var upstream: String?
    package var peer: String?
    package var limit: Int?

    /// Makes a query from its fields; a field of `nil` does not narrow the list.
    package init(
        listener: String? = nil,
        upstream: String? = nil,
        peer: String? = nil,
        limit: Int? = nil
    ) {
        self.listener = listener
        self.upstream = upstream
        self.peer = peer
        self.limit = limit
    }

    /// The most sessions in the reply.
    package var effectiveLimit: Int { limit ?? Self.defaultLimit }
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
