#if Net && OSExt
internal import VerypollControl

/// A named group of listening sockets whose connections are served alike.
///
/// It is immutable but for its gate, and so shared by all threads. The sockets themselves are in
/// the hands of those who accept, so that they are closed when nobody does any more.
final class Listener: Sendable {
    /// What the configuration calls it.
    let name: String
    let service: SessionService
    let timeouts: SessionTimeouts
    let whenFull: ListenerConfiguration.WhenFull

    /// The index of the upstream that its sessions are proxied to.
    let upstream: Int?

    /// The silence after which the kernel asks whether a server is there, as for clients.
    let keepAlive: Duration?

    /// The time for a server to acknowledge what it was sent, as for clients.
    let userTimeout: Duration?

    /// The limit that the configuration sets, or `nil` if only that of all sessions holds.
    let maxSessions: Int?

    /// Where it accepts, for people.
    let addresses: [Status.Listener.Address]

    /// Counts its sessions.
    let gate: SessionGate

    init(
        name: String,
        service: SessionService,
        timeouts: SessionTimeouts,
        whenFull: ListenerConfiguration.WhenFull,
        upstream: Int?,
        keepAlive: Duration?,
        userTimeout: Duration?,
        maxSessions: Int?,
        addresses: [Status.Listener.Address]
    ) {
        self.name = name
        self.service = service
        self.timeouts = timeouts
        self.whenFull = whenFull
        self.upstream = upstream
        self.keepAlive = keepAlive
        self.userTimeout = userTimeout
        self.maxSessions = maxSessions
        self.addresses = addresses
        gate = SessionGate(limit: maxSessions ?? .max)
    }
}
#endif
