package import VerypollConfiguration

/// The criteria that sessions must meet; a criterion of `nil` admits all.
package struct SessionFilter: Equatable, Sendable {
    /// The slots of the listener.
    package var listeners: [Int]?
    package var upstream: String?
    /// The address of the server, as in the configuration.
    package var server: String?
    package var peer: PeerPattern?
    /// The name that a TLS client asked for; an empty name stands for clients that sent none.
    package var serverName: ServerNamePattern?
    /// The most sessions to list.
    package var limit: Int

    package init(
        listeners: [Int]? = nil,
        upstream: String? = nil,
        server: String? = nil,
        peer: PeerPattern? = nil,
        serverName: ServerNamePattern? = nil,
        limit: Int = .max
    ) {
        self.listeners = listeners
        self.upstream = upstream
        self.server = server
        self.peer = peer
        self.serverName = serverName
        self.limit = limit
    }
}
