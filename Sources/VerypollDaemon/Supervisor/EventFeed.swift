internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// The events for the clients that monitor the daemon: changes that the supervisor notes, and the
/// sessions and pauses that workers report.
struct EventFeed {
    /// The time for which sessions are collected before they are sent.
    ///
    /// Otherwise, each session would take a turn of the supervisor's thread, which may share a
    /// processor with a worker.
    private static let sessionDelay = Duration.milliseconds(100)

    /// The sessions and pauses that the workers have reported.
    let sessions: SessionEvents
    /// The time at which the sessions are sent; `nil` if there are none.
    private(set) var sessionsDueAt: ContinuousClock.Instant?
    /// Changes of listeners, servers and the configuration.
    var changes = Monitoring()
    /// The latest changes, for the status page.
    var history = EventHistory()
    /// Whether the latest changes are kept although no client monitors the daemon.
    var keepsHistory = false {
        didSet {
            sessions.arePausesWanted = keepsHistory
            if !keepsHistory { history = EventHistory() }
        }
    }

    /// Creates a feed whose sessions wake the poll of `registry`.
    init(registry: borrowing Registry, token: Token) throws(Errno) {
        sessions = try SessionEvents(registry: registry, token: token)
    }

    /// Notes that a worker has reported sessions.
    mutating func noteSessions(now: ContinuousClock.Instant = .now) {
        sessionsDueAt = now + Self.sessionDelay
    }

    /// Takes the collected sessions.
    mutating func takeSessions() -> SessionEvents.Gathered {
        sessionsDueAt = nil
        return sessions.takeAll()
    }

    /// Stops collecting, once no client monitors any more.
    mutating func end() {
        sessions.areWanted = false
        changes.end()
        _ = takeSessions()
    }
}
