extension Status {
    /// A group of addresses that are served alike.
    package struct Listener: Codable, Hashable, Sendable {
        /// What a listener is doing.
        package enum State: String, CaseIterable, Codable, Sendable {
            case accepting
            case paused
            case draining
            case drained
            case closed
        }

        /// An address that connections are accepted on.
        package struct Address: Codable, Hashable, Sendable {
            /// Where a listening socket comes from.
            package enum Origin: String, CaseIterable, Codable, Sendable {
                case bound
                case systemd
            }

            package var address: String
            package var origin: Origin

            /// Makes an address of its fields.
            package init(address: String, origin: Origin) {
                self.address = address
                self.origin = origin
            }
        }

        package var name: String
        package var addresses: [Address]
        package var handler: String
        package var state: State
        package var stateReason: String?
        package var drainDeadlineTimestampUSec: Int?
        package var active: Int
        package var maxSessions: Int?
        package var accepted: Int
        package var rejected: Int
        package var bytesIn: Int
        package var bytesOut: Int

        /// Makes a listener's status of its fields.
        package init(
            name: String,
            addresses: [Address],
            handler: String,
            state: State,
            stateReason: String?,
            drainDeadlineTimestampUSec: Int?,
            active: Int,
            maxSessions: Int?,
            accepted: Int,
            rejected: Int,
            bytesIn: Int,
            bytesOut: Int
        ) {
            self.name = name
            self.addresses = addresses
            self.handler = handler
            self.state = state
            self.stateReason = stateReason
            self.drainDeadlineTimestampUSec = drainDeadlineTimestampUSec
            self.active = active
            self.maxSessions = maxSessions
            self.accepted = accepted
            self.rejected = rejected
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
        }
    }
}

/// The reply of `ListListeners`.
package struct ListenerList: Codable, Hashable, Sendable {
    package var listeners: [Status.Listener]

    /// Makes a list, which is to be in the order of the names.
    package init(listeners: [Status.Listener]) {
        self.listeners = listeners
    }
}
