#if Net && OSExt
internal import VerypollControl

/// A named group of listening sockets whose connections are served alike.
///
/// It is immutable but for what counts, and so shared by all threads. The sockets themselves are in
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

    /// Who may connect, or `nil` if everybody may.
    let rules: AccessRules?

    /// Whose PROXY headers are read, or `nil` if none are.
    let headerSources: AccessRules?

    /// Counts the sessions of each source, or `nil` if they are not limited.
    let sources: SourceTable?

    /// Paces the connections, or `nil` if they may come as fast as they do.
    let pacer: AcceptPacer?

    /// Makes a listener of its configuration.
    ///
    /// - Parameters:
    ///   - configuration: The listener as the file has it.
    ///   - addresses: Where its sockets are.
    ///   - upstream: The index of the upstream that it hands its sessions to.
    ///   - sessionLimit: The most sessions that the daemon has.
    init(
        _ configuration: ListenerConfiguration,
        addresses: [Status.Listener.Address],
        upstream: Int?,
        sessionLimit: Int
    ) {
        let kind = configuration.handler.kind
        guard let service = SessionService(rawValue: kind.rawValue) else {
            preconditionFailure("the configuration lets no such handler through")
        }
        name = configuration.name
        self.service = service
        timeouts = SessionTimeouts(configuration, for: service)
        whenFull = configuration.whenFull
        self.upstream = upstream
        keepAlive = configuration.socket.keepAlive
        userTimeout = configuration.timeouts.userTimeout
        maxSessions = configuration.maxSessions
        self.addresses = addresses
        gate = SessionGate(limit: maxSessions ?? .max)
        let isOpen = configuration.allow == nil && configuration.deny.isEmpty
        rules = isOpen ? nil : AccessRules(allow: configuration.allow, deny: configuration.deny)
        headerSources = configuration.proxyProtocol.map { AccessRules(allow: $0.from, deny: []) }
        sources = configuration.maxSessionsPerSource.map {
            SourceTable(limit: $0, capacity: min(configuration.maxSessions ?? .max, sessionLimit))
        }
        pacer = configuration.acceptRate.map(AcceptPacer.init)
    }
}

extension SessionTimeouts {
    fileprivate init(_ configuration: ListenerConfiguration, for service: SessionService) {
        let timeouts = configuration.timeouts
        // Who is spoken to first need not say a word.
        firstByte = (service.awaitsClient ? timeouts.firstByte : nil)?.milliseconds ?? .max
        idle = timeouts.idle?.milliseconds ?? .max
        halfClosed = timeouts.halfClosed?.milliseconds ?? .max
        lifetime = timeouts.lifetime?.milliseconds ?? .max
        proxyHeader = configuration.proxyProtocol?.timeout.milliseconds ?? .max
    }
}
#endif
