internal import Verypoll
internal import VerypollConfiguration

/// The state of a session that is proxied to a server.
struct ProxyState: ~Copyable {
    /// The connection to the server.
    var server = Endpoint(.none)
    /// Decides how the session gets its server.
    var connector: Connector
    /// The waits and attempts of the search for the server so far.
    var effort = SearchEffort()
    /// The PROXY header that is still to be sent to the server before any other byte; `off` once it
    /// was sent.
    var owedHeader = UpstreamConfiguration.ProxyHeader.off
    /// Whether the client has asked for TLS by PostgreSQL's request, which the server is sent too.
    var asksForTLS = false
    /// The request for TLS at the beginning of the current connection to the server.
    var request = Request.none
    /// The number of this daemon's listeners that the client's connection has already passed
    /// through; see ``OwnConnections``.
    var hops: UInt8 = 0
    /// Whether the connection to the server is registered in ``OwnConnections``.
    var isOwnConnection = false
    /// The microseconds that the connection to the server took; 0 if none was made, and at least 1
    /// if one was made.
    var connectTime: UInt32 = 0
    /// The number of the error that broke one of the connections; 0 if none has broken.
    var brokenBy: Int32 = 0

    /// A request for TLS to a PostgreSQL server.
    enum Request: UInt8 {
        /// There is none, or the server has granted it.
        case none = 0
        /// It is still to be sent, after the PROXY header and before any other byte.
        case owed = 1
        /// It was sent, or waits to be sent, and the server has not answered.
        case unanswered = 2
    }

    init(connector: Connector) {
        self.connector = connector
    }
}
