internal import VerypollServer

/// All numbers of the daemon at one moment, to be told to whoever watches it.
struct MetricsSnapshot: Sendable {
    /// A listener.
    struct Listener: Sendable {
        var name: String
        var active = 0
        /// The limit that the configuration sets, if it does.
        var maxSessions: Int?
        var isPaused = false
        var tally = ListenerTally()
    }

    /// A pool of servers.
    struct Upstream: Sendable {
        var name: String
        var active = 0
        /// The sessions that wait for a server.
        var waiting = 0
        /// The limit that the configuration sets, if it does.
        var maxSessions: Int?
        /// The clients that were turned away without a server.
        var refusals: [(reason: UpstreamRefusal, count: UInt64)] = []
    }

    /// A server of an upstream.
    struct Server: Sendable {
        var upstream: String
        var address: String
        var isUp = true
        var active = 0
        /// The sessions that it got since the start.
        var sessions: UInt64 = 0
        /// The sessions that could not connect to it.
        var failures: UInt64 = 0
        /// The bytes that came from it.
        var bytesIn: UInt64 = 0
        /// The bytes that were sent to it.
        var bytesOut: UInt64 = 0
        var connectTime = Histogram<ConnectTime>()
    }

    /// A thread that serves sessions.
    struct Worker: Sendable {
        var index: Int
        var tally = WorkerTally()
    }

    var version: String
    /// Microseconds since the beginning of 1970 UTC.
    var startedAt: UInt64 = 0
    var process = ProcessUsage()
    var active = 0
    var maxSessions = 0
    var listeners: [Listener] = []
    var upstreams: [Upstream] = []
    var servers: [Server] = []
    var workers: [Worker] = []
}
