internal import Varlink

/// Which sessions are to be listed: the parameters of `ListSessions`.
package struct SessionQuery: CallParameters, Codable, Hashable {
    /// The limits that may be asked for.
    package static let limits = 1...10_000

    /// The limit where none is asked for.
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

    /// Makes a query of its fields; what is `nil` does not narrow the list.
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

    /// The most sessions that the answer may have.
    package var effectiveLimit: Int { limit ?? Self.defaultLimit }
}

/// The session that is meant: the parameters of `GetSession` and of `KillSession`.
package struct SessionID: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case id
    }

    package var id: Int

    /// Makes the parameters of a session's number.
    package init(id: Int) {
        self.id = id
    }
}
