internal import Verypoll
internal import VerypollConfiguration

/// The state of a session that is proxied to a server.
struct ProxyState: ~Copyable {
    /// The connection to the server.
    var server = Endpoint(.none)
    /// Decides how the session gets its server.
    var connector: Connector
    /// The PROXY header that is still to be sent to the server before any other byte; `off` once it
    /// was sent.
    var owedHeader = UpstreamConfiguration.ProxyHeader.off
    /// The number of this daemon's listeners that the client's connection has already passed
    /// through; see ``OwnConnections``.
    var hops: UInt8 = 0
    /// Whether the connection to the server is registered in ``OwnConnections``.
    var isOwnConnection = false
    /// The number of the error that broke one of the connections; 0 if none has broken.
    var brokenBy: Int32 = 0

    init(connector: Connector) {
        self.connector = connector
    }
}
