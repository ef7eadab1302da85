extension Status {
    /// The status of an upstream.
    package struct Upstream: Codable, Hashable, Sendable {
        package var name: String
        package var balance: String
        package var active: Int
        package var maxSessions: Int?
        package var waiting: Int
        package var servers: [Server]

        /// Makes an upstream's status from its fields.
        package init(
            name: String,
            balance: String,
            active: Int,
            maxSessions: Int?,
            waiting: Int,
            servers: [Server]
        ) {
            self.name = name
            self.balance = balance
            self.active = active
            self.maxSessions = maxSessions
            self.waiting = waiting
            self.servers = servers
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
            bytesOut: Int
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
