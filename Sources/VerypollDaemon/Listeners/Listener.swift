#if Net && OSExt
/// A named group of listening sockets whose connections are served alike; immutable but for its
/// gate, and so shared by all threads.
final class Listener: Sendable {
    /// What happens to connections over the limit.
    enum WhenFull: Sendable {
        /// They wait in the backlog.
        case pause
        /// They are accepted and reset.
        case reject
    }

    /// What the configuration calls it.
    let name: String
    let service: Service
    let timeouts: SessionTimeouts
    let whenFull: WhenFull

    /// The limit that the configuration sets, or `nil` if only that of all sessions holds.
    let maxSessions: Int?
    let sockets: [ListeningSocket]

    /// Counts its sessions.
    let gate: SessionGate

    init(
        name: String,
        service: Service,
        timeouts: SessionTimeouts,
        whenFull: WhenFull,
        maxSessions: Int?,
        sockets: [ListeningSocket]
    ) {
        self.name = name
        self.service = service
        self.timeouts = timeouts
        self.whenFull = whenFull
        self.maxSessions = maxSessions
        self.sockets = sockets
        gate = SessionGate(limit: maxSessions ?? .max)
    }
}
#endif
