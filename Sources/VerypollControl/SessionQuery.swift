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
        case peer
        case limit
    }

    package var listener: String?
    package var peer: String?
    package var limit: Int?

    /// Makes a query of its fields; what is `nil` does not narrow the list.
    package init(listener: String? = nil, peer: String? = nil, limit: Int? = nil) {
        self.listener = listener
        self.peer = peer
        self.limit = limit
    }

    /// The most sessions that the answer may have.
    package var effectiveLimit: Int { limit ?? Self.defaultLimit }

    /// Whether a session is one of those asked for.
    ///
    /// - Parameters:
    ///   - listener: The name of the listener that accepted it.
    ///   - peer: The address of its client, as the session tells it.
    /// - Returns: Whether both are as asked for.
    package func matches(listener: String, peer: String) -> Bool {
        if let wanted = self.listener, wanted != listener { return false }
        guard let wanted = self.peer, wanted != peer else { return true }
        guard let colon = peer.lastIndex(of: ":") else { return false }
        // Of [::1]:80, both [::1] and ::1 are the address without its port.
        let host = peer[..<colon]
        return wanted == host || (host.hasPrefix("[") && wanted == host.dropFirst().dropLast())
    }
}

/// The session that is meant: the parameters of `KillSession`.
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
