/// The state of a session at one moment, for the control socket.
package struct SessionSnapshot: Sendable {
    /// The state of a session.
    package enum State: Sendable {
        /// The session waits for room in its upstream, or for a server that can be reached.
        case waiting
        /// The session connects to a server.
        case connecting
        /// Both directions are open.
        case open
        /// One direction has ended.
        case halfClosed
    }

    package var id: UInt64
    package var listener: String
    package var worker: Int
    /// The client; see ``Session/peerDescription``.
    package var peer: String
    /// The address that the client connected to; `nil` if the kernel does not report it.
    package var local: String?
    package var upstream: String?
    package var server: String?
    package var state: State
    /// The time of the accept in microseconds since 1970.
    package var openedTimestamp: Int
    /// The time since a byte was last moved.
    package var idleMicroseconds: Int
    package var bytesIn: UInt64
    package var bytesOut: UInt64
    /// The number of bytes that wait for the client.
    package var bufferedByteCount: Int
    /// The name that a TLS client asked for.
    package var serverName: String?
    /// The protocols that a TLS client offers, see ``InspectedClient/protocolTexts``; `nil` without
    /// inspection.
    package var alpn: [String]?
    /// The name of the route that matched the session.
    package var route: String?
}

extension SessionSnapshot.State {
    /// The present state of a session.
    init(_ session: borrowing Session) {
        let connector = session.proxyState.connector
        self =
            if connector.isHeld {
                .waiting
            } else if connector.isSearching {
                .connecting
            } else {
                session.isHalfClosed ? .halfClosed : .open
            }
    }
}
