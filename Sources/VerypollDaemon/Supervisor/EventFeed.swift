internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// Everything that those who monitor the daemon are told: changes that the supervisor notes, and
/// the sessions and pauses that workers report.
struct EventFeed {
    /// How long sessions gather, so that each does not take a turn of the supervisor's thread,
    /// which may share the session's processor.
    private static let sessionDelay = Duration.milliseconds(100)

    /// Sessions and pauses on their way from the workers.
    let sessions: SessionEvents
    /// When the sessions are told next, if there are any to tell.
    private(set) var sessionsDueAt: ContinuousClock.Instant?
    /// Changes of listeners, servers and the configuration.
    var changes = Monitoring()

    /// Makes a feed that wakes whoever polls `registry`.
    init(registry: borrowing Registry, token: Token) throws(Errno) {
        sessions = try SessionEvents(registry: registry, token: token)
    }

    /// Notes that a worker has reported sessions.
    mutating func noteSessions(now: ContinuousClock.Instant = .now) {
        sessionsDueAt = now + Self.sessionDelay
    }

    /// Takes the sessions that have gathered.
    mutating func takeSessions() -> SessionEvents.Gathered {
        sessionsDueAt = nil
        return sessions.takeAll()
    }

    /// Ends when nobody monitors any more.
    mutating func end() {
        sessions.areWanted = false
        changes.end()
        _ = takeSessions()
    }
}
