extension Status {
    /// The status of a session.
    package struct Session: Codable, Hashable, Sendable {
        /// The state of a session.
        package enum State: String, CaseIterable, Codable, Sendable {
            case open
            case halfClosed
            case closing
            case waiting
            case connecting
        }

        package var id: Int
        package var listener: String
        package var worker: Int
        package var peer: String
        package var local: String?
        package var upstream: String?
        package var server: String?
        package var state: State
        package var openedTimestampUSec: Int
        package var idleUSec: Int
        package var bytesIn: Int
        package var bytesOut: Int
        package var buffered: Int
        package var serverName: String?
        package var alpn: [String]?
        package var route: String?

        /// Makes a session's status from its fields.
        package init(
            id: Int,
            listener: String,
            worker: Int,
            peer: String,
            local: String?,
            upstream: String?,
            server: String?,
            state: State,
            openedTimestampUSec: Int,
            idleUSec: Int,
            bytesIn: Int,
            bytesOut: Int,
            buffered: Int,
            serverName: String? = nil,
            alpn: [String]? = nil,
            route: String? = nil
        ) {
            self.id = id
            self.listener = listener
            self.worker = worker
            self.peer = peer
            self.local = local
            self.upstream = upstream
            self.server = server
            self.state = state
            self.openedTimestampUSec = openedTimestampUSec
            self.idleUSec = idleUSec
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
            self.buffered = buffered
            self.serverName = serverName
            self.alpn = alpn
            self.route = route
        }
    }
}

/// The reply of `GetSession`.
package struct SessionAnswer: Codable, Hashable, Sendable {
    package var session: Status.Session

    /// Makes a reply from a session.
    package init(session: Status.Session) {
        self.session = session
    }
}

/// The reply of `ListSessions`.
package struct SessionList: Codable, Hashable, Sendable {
    package var sessions: [Status.Session]
    package var truncated: Bool

    /// Makes a list from sessions in the order of their age, the oldest first.
    package init(sessions: [Status.Session], truncated: Bool) {
        self.sessions = sessions
        self.truncated = truncated
    }
}
