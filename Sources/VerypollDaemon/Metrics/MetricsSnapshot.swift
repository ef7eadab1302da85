internal import VerypollServer

/// All metrics of the daemon at one moment.
struct MetricsSnapshot: Sendable {
    /// A listener.
    struct Listener: Sendable {
        var name: String
        var active = 0
        /// The configured limit; `nil` if there is none.
        var maxSessions: Int?
        var isPaused = false
        var tally = ListenerTally()
        /// The reasons for the ends of sessions that have a sample even if their number is 0.
        var endCodes: [SessionEndCode] = []
        /// The results of inspections; empty without inspection.
        var inspections: [(outcome: InspectionOutcome, count: UInt64)] = []
        var routes: [Route] = []
    }

    /// A route of a listener.
    struct Route: Sendable {
        var name: String
        var active = 0
        /// The sessions since the start.
        var sessions: UInt64 = 0
    }

    /// A pool of servers.
    struct Upstream: Sendable {
        var name: String
        var active = 0
        /// The sessions that wait for a server.
        var waiting = 0
        /// The configured limit; `nil` if there is none.
        var maxSessions: Int?
        /// The clients that were turned away without a server, by reason.
        var refusals: [(reason: UpstreamRefusal, count: UInt64)] = []
        var queueWait = Histogram<QueueTime>()
        /// The attempts to connect after the first one of a session.
        var retries: UInt64 = 0
    }

    /// A service whose SRV records name servers.
    struct Service: Sendable {
        var upstream: String
        var name: String
        /// The microseconds since the last good answer; `nil` if there was none.
        var age: UInt64?
        /// The servers of the last good answer.
        var servers = 0
        /// The failed questions since the start.
        var failures: UInt64 = 0
    }

    /// A server of an upstream.
    struct Server: Sendable {
        var upstream: String
        var address: String
        var isUp = true
        var active = 0
        /// The sessions that have connected to the server since the start.
        var sessions: UInt64 = 0
        /// The sessions that could not connect to the server.
        var failures: UInt64 = 0
        /// The bytes received from the server.
        var bytesIn: UInt64 = 0
        /// The bytes sent to the server.
        var bytesOut: UInt64 = 0
        var connectTime = Histogram<ConnectTime>()
        var errors = KindCounts<ServerErrorKind>()
        /// Whether the checks have found the server to be up; `nil` without a result.
        var isHealthy: Bool?
        /// The checks and their times; `nil` if the server is not checked.
        var checks: Checks?
        /// The operator's order, or the state in the configuration.
        var adminState = ServerOrder.up
        /// The configured limit; `nil` if there is none.
        var maxSessions: Int?
    }

    /// The health checks of a server since the start.
    struct Checks: Sendable {
        var succeeded: UInt64 = 0
        var failed: UInt64 = 0
        var time = Histogram<ConnectTime>()
    }

    /// The reloads since the start; times are in microseconds since the beginning of 1970 UTC.
    struct Reloads: Sendable {
        var appliedCount = 0
        var refusedCount = 0
        /// Whether the last reload was applied, or none was requested.
        var isLastApplied = true
        /// The time of the last result, or of the start.
        var lastAt: UInt64 = 0
        /// The time at which the configuration in effect was applied.
        var appliedAt: UInt64 = 0
        /// The hash of the configuration in effect.
        var hash = ""
    }

    /// A thread that serves sessions.
    struct Worker: Sendable {
        var index: Int
        var tally = WorkerTally()
    }

    var version: String
    /// The time of the start, in microseconds since the beginning of 1970 UTC.
    var startedAt: UInt64 = 0
    var process = ProcessUsage()
    var reloads = Reloads()
    var active = 0
    var maxSessions = 0
    var listeners: [Listener] = []
    var upstreams: [Upstream] = []
    var services: [Service] = []
    var servers: [Server] = []
    var workers: [Worker] = []
}
