package import SystemPackage
internal import VerypollConfiguration

/// How a proxied session comes to its server.
package struct Route {
    /// How far it has come.
    enum Phase: UInt8 {
        /// No server is looked for, or not yet.
        case none
        /// It waits until the upstream takes more sessions, or a server can be reached.
        case held
        /// A connection was begun.
        case connecting
        /// The connection is made.
        case connected
        /// One connection is broken, and the last bytes of the other are under way.
        case breaking
    }

    var phase = Phase.none
    /// Whether the upstream counts it among its sessions.
    var isEntered = false
    /// Whether it stands in the upstream's queue.
    var isQueued = false
    /// The PROXY header that the server is to be sent before anything else.
    var owedHeader = UpstreamConfiguration.ProxyHeader.off
    /// The index of the upstream, -1 for a session that is not proxied.
    let upstream: Int32
    /// The index of the server, -1 while none is chosen.
    var server: Int32 = -1
    /// Which of the server's addresses is tried next.
    var address: Int32 = 0
    /// Why the last server could not be reached, 0 if none was tried.
    var lastError: Int32 = 0
    /// The servers that could not be reached.
    var tried: [Int] = []
    /// The millisecond in which it began to look for a server.
    var beganAt: UInt64
    /// The millisecond in which the search is over, with success or without.
    var endsAt = UInt64.max
    /// The millisecond in which the present attempt, or the present pause, is over.
    var nextAt = UInt64.max
    /// The nanosecond in which the present attempt was begun.
    var attemptedAt: UInt64 = 0

    init(upstream: Int, now: UInt64) {
        self.upstream = Int32(upstream)
        beganAt = now
    }
}

/// Why a session got no server.
package enum NoServer: Equatable {
    /// All servers are down.
    case down
    /// Those that were tried could not be reached; the error is of the last.
    case unreachable(Errno)
    /// As many sessions as may wait do so already.
    case queueFull
    /// The upstream took no more sessions for too long.
    case queueTimeout
}
