extension Status {
    /// The status of an upstream.
    package struct Upstream: Codable, Hashable, Sendable {
        package var name: String
        package var balance: String
        package var active: Int
        package var maxSessions: Int?
        package var waiting: Int
        package var servers: [Server]
        package var hashKey: String?
        package var services: [Service]?

        /// Makes an upstream's status from its fields.
        package init(
            name: String,
            balance: String,
            active: Int,
            maxSessions: Int?,
            waiting: Int,
            servers: [Server],
            hashKey: String? = nil,
            services: [Service]? = nil
        ) {
            self.name = name
            self.balance = balance
            self.active = active
            self.maxSessions = maxSessions
            self.waiting = waiting
            self.servers = servers
            self.hashKey = hashKey
            self.services = services
        }
    }

    /// The status of a server of an upstream.
    package struct Server: Codable, Hashable, Sendable {
        /// The state of a server.
        package enum State: String, CaseIterable, Codable, Sendable {
            case up
            case down
            case ejected
            case unresolved
            case unchecked

            /// Whether the server gets sessions if its mode is up, regardless of other servers.
            package var isAvailable: Bool { self == .up || self == .unchecked }
        }

        /// The mode of a server, which an operator sets.
        package enum Mode: String, CaseIterable, Codable, Sendable {
            case up
            case drain
            case down
        }

        package var address: String
        package var resolvedAddresses: [String]
        package var weight: Int
        package var backup: Bool
        package var mode: Mode
        package var state: State
        package var stateReason: String?
        package var stateTimestampUSec: Int
        package var active: Int
        package var sessions: Int
        package var failures: Int
        package var bytesIn: Int
        package var bytesOut: Int
        package var check: String?
        package var maxSessions: Int?
        package var lastCheck: Check?
        package var srv: String?
        package var target: String?
        package var priority: Int?

        /// Makes a server's status from its fields.
        package init(
            address: String,
            resolvedAddresses: [String],
            weight: Int,
            backup: Bool,
            mode: Mode,
            state: State,
            stateReason: String?,
            stateTimestampUSec: Int,
            active: Int,
            sessions: Int,
            failures: Int,
            bytesIn: Int,
            bytesOut: Int,
            check: String? = nil,
            maxSessions: Int? = nil,
            lastCheck: Check? = nil,
            srv: String? = nil,
            target: String? = nil,
            priority: Int? = nil
        ) {
            self.address = address
            self.resolvedAddresses = resolvedAddresses
            self.weight = weight
            self.backup = backup
            self.mode = mode
            self.state = state
            self.stateReason = stateReason
            self.stateTimestampUSec = stateTimestampUSec
            self.active = active
            self.sessions = sessions
            self.failures = failures
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
            self.check = check
            self.maxSessions = maxSessions
            self.lastCheck = lastCheck
            self.srv = srv
            self.target = target
            self.priority = priority
        }
    }

    /// The status of a service whose SRV records name servers.
    package struct Service: Codable, Hashable, Sendable {
        package var name: String
        package var servers: Int
        package var answerTimestampUSec: Int?
        package var isNotOffered: Bool
        package var failure: String?
        package var failures: Int

        /// Makes a service's status from its fields.
        package init(
            name: String,
            servers: Int,
            answerTimestampUSec: Int?,
            isNotOffered: Bool,
            failure: String?,
            failures: Int
        ) {
            self.name = name
            self.servers = servers
            self.answerTimestampUSec = answerTimestampUSec
            self.isNotOffered = isNotOffered
            self.failure = failure
            self.failures = failures
        }
    }

    /// The result of the last health check of a server.
    package struct Check: Codable, Hashable, Sendable {
        package var succeeded: Bool
        package var reason: String?
        package var timestampUSec: Int
        package var durationUSec: Int

        /// Makes a result from its fields.
        package init(succeeded: Bool, reason: String?, timestampUSec: Int, durationUSec: Int) {
            self.succeeded = succeeded
            self.reason = reason
            self.timestampUSec = timestampUSec
            self.durationUSec = durationUSec
        }
    }
}

/// The reply of `ListUpstreams`.
package struct UpstreamList: Codable, Hashable, Sendable {
    package var upstreams: [Status.Upstream]

    /// Makes a list from upstreams in the order of their names.
    package init(upstreams: [Status.Upstream]) {
        self.upstreams = upstreams
    }
}
