extension Status {
    /// The status of a listener.
    package struct Listener: Codable, Hashable, Sendable {
        /// The state of a listener.
        package enum State: String, CaseIterable, Codable, Sendable {
            case accepting
            case paused
            case draining
            case drained
            case closed
        }

        /// An address on which the listener accepts connections.
        package struct Address: Codable, Hashable, Sendable {
            /// The origin of a listening socket.
            package enum Origin: String, CaseIterable, Codable, Sendable {
                case bound
                case systemd
            }

            package var address: String
            package var origin: Origin

            /// Makes an address from its fields.
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

        /// Makes a listener's status from its fields.
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

    /// Makes a list from listeners in the order of their names.
    package init(listeners: [Status.Listener]) {
        self.listeners = listeners
    }
}
