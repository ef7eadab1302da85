internal import Verypoll
internal import VerypollConfiguration

/// The state of a session that is proxied to a server.
struct ProxyState: ~Copyable {
    /// The connection to the server.
    var server = Endpoint(.none)
    /// How the session gets its server.
    var connector: Connector
    /// The PROXY header that the server is sent before anything else.
    var owedHeader = UpstreamConfiguration.ProxyHeader.off
    /// Through how many listeners of this daemon its client has come before; see
    /// ``OwnConnections``.
    var hops: UInt8 = 0
    /// Whether the connection to its server is among ``OwnConnections``.
    var isOwnConnection = false
    /// The error that broke one of its connections, 0 before.
    var brokenBy: Int32 = 0

    init(connector: Connector) {
        self.connector = connector
    }
}
