/// An event in the daemon: a reply of `Monitor`.
///
/// The fields are documented in `io.verypoll.Daemon.varlink`.
package struct MonitorEvent: Codable, Hashable, Sendable {
    /// The kind of an event.
    package enum Kind: String, CaseIterable, Codable, Sendable {
        case status
        case sessionOpened = "session-opened"
        case sessionClosed = "session-closed"
        case serverUp = "server-up"
        case serverDown = "server-down"
        case serverSet = "server-set"
        case listenerChanged = "listener-changed"
        case reloaded
        case reloadRefused = "reload-refused"
        case lost
        case drainBegun = "drain-begun"
        case drainEnded = "drain-ended"
        case drainDone = "drain-done"
        case sessionsKilled = "sessions-killed"
        case logLevelSet = "log-level-set"
    }

    package var event: Kind
    package var timestampUSec: Int
    package var status: Status?
    package var session: Status.Session?
    package var reason: String?
    package var upstream: String?
    package var server: Status.Server?
    package var listener: Status.Listener?
    package var changes: [ConfigurationChange]?
    package var problems: [Problem]?
    package var count: Int?
    package var caller: Caller?
    package var logLevel: String?

    /// Makes an event without details.
    ///
    /// - Parameters:
    ///   - event: The kind of the event.
    ///   - timestampUSec: The time of the event, in microseconds since 1970-01-01 UTC.
    package init(_ event: Kind, timestampUSec: Int) {
        self.event = event
        self.timestampUSec = timestampUSec
    }
}
