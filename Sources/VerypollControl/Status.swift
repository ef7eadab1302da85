/// The status of the daemon: the reply of `GetStatus`.
///
/// The fields are documented in `io.verypoll.Daemon.varlink`.
package struct Status: Codable, Hashable, Sendable {
    /// The state of the whole daemon.
    package enum State: String, CaseIterable, Codable, Sendable {
        case starting
        case running
        case draining
        case stopping
    }

    /// The most paths in ``configurationFiles``.
    package static let configurationFileLimit = 1001

    package var version: String
    package var pid: Int
    package var startTimestampUSec: Int
    package var configurationPath: String?
    package var logLevel: String
    package var state: State
    package var drainDeadlineTimestampUSec: Int?
    package var note: String?
    package var listeners: [Listener]
    package var upstreams: [Upstream]
    package var workers: [Worker]
    package var totals: Totals
    package var lastReload: LastReload?
    package var configurationHash: String?
    package var configurationReadTimestampUSec: Int?
    package var lateChange: String?
    package var configurationFiles: [String]?

    /// Makes a status from its fields.
    package init(
        version: String,
        pid: Int,
        startTimestampUSec: Int,
        configurationPath: String?,
        logLevel: String,
        state: State,
        drainDeadlineTimestampUSec: Int?,
        note: String?,
        listeners: [Listener],
        upstreams: [Upstream],
        workers: [Worker],
        totals: Totals,
        lastReload: LastReload? = nil,
        configurationHash: String? = nil,
        configurationReadTimestampUSec: Int? = nil,
        lateChange: String? = nil,
        configurationFiles: [String]? = nil
    ) {
        self.version = version
        self.pid = pid
        self.startTimestampUSec = startTimestampUSec
        self.configurationPath = configurationPath
        self.logLevel = logLevel
        self.state = state
        self.drainDeadlineTimestampUSec = drainDeadlineTimestampUSec
        self.note = note
        self.listeners = listeners
        self.upstreams = upstreams
        self.workers = workers
        self.totals = totals
        self.lastReload = lastReload
        self.configurationHash = configurationHash
        self.configurationReadTimestampUSec = configurationReadTimestampUSec
        self.lateChange = lateChange
        self.configurationFiles = configurationFiles
    }
}

extension Status {
    /// The result of a reload.
    package struct LastReload: Codable, Hashable, Sendable {
        package var timestampUSec: Int
        package var applied: Bool
        package var changes: Int?
        package var problems: Int?

        /// Makes the result of a reload that was applied.
        package init(timestampUSec: Int, changes: Int) {
            self.timestampUSec = timestampUSec
            applied = true
            self.changes = changes
        }

        /// Makes the result of a reload that was refused.
        package init(timestampUSec: Int, problems: Int) {
            self.timestampUSec = timestampUSec
            applied = false
            self.problems = problems
        }
    }
}

extension Status {
    /// The status of a worker, a thread that serves sessions.
    package struct Worker: Codable, Hashable, Sendable {
        package var index: Int
        package var sessions: Int
        package var polls: Int
        package var events: Int
        package var wakeUps: Int
        package var busyShare: Double

        /// Makes a worker's status from its fields.
        ///
        /// The busy share is clamped to 0...1, with 0 for NaN, and rounded to four places.
        package init(
            index: Int,
            sessions: Int,
            polls: Int,
            events: Int,
            wakeUps: Int,
            busyShare: Double
        ) {
            self.index = index
            self.sessions = sessions
            self.polls = polls
            self.events = events
            self.wakeUps = wakeUps
            // JSON and Varlink cannot represent NaN, the result of 0/0.
            let share = busyShare.isNaN ? 0 : min(max(busyShare, 0), 1)
            self.busyShare = (share * 10_000).rounded() / 10_000
        }
    }

    /// The sums over all listeners.
    package struct Totals: Codable, Hashable, Sendable {
        package var active: Int
        package var maxSessions: Int
        package var accepted: Int
        package var rejected: Int
        package var bytesIn: Int
        package var bytesOut: Int

        /// Makes the sums from their fields.
        package init(
            active: Int,
            maxSessions: Int,
            accepted: Int,
            rejected: Int,
            bytesIn: Int,
            bytesOut: Int
        ) {
            self.active = active
            self.maxSessions = maxSessions
            self.accepted = accepted
            self.rejected = rejected
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
        }
    }
}
