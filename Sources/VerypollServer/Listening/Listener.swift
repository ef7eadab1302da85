package import VerypollConfiguration

/// A named group of listening sockets whose connections are served alike.
///
/// It is immutable but for what counts, and so shared by all threads. Where its configuration
/// changes, another takes its place, which goes on with its counts, and the sessions that live keep
/// this one. The sockets themselves are in the hands of those who accept, so that they are closed
/// when nobody does any more.
package final class Listener: Sendable {
    /// What the configuration calls it.
    package let name: String
    package let service: SessionService
    let timeouts: SessionTimeouts
    let whenFull: ListenerConfiguration.WhenFull

    /// The slot of the upstream that its sessions are proxied to; see ``LiveConfiguration``.
    package let upstream: Int?

    /// The silence after which the kernel asks whether a server is there, as for clients.
    let keepAlive: Duration?

    /// The time for a server to acknowledge what it was sent, as for clients.
    let userTimeout: Duration?

    /// The limit that the configuration sets, or `nil` if only that of all sessions holds.
    package let maxSessions: Int?

    /// The most sessions of a source, if the configuration limits them.
    private let maxSessionsPerSource: Int?

    /// How fast connections may come, if the configuration limits it.
    private let acceptRate: ListenerConfiguration.AcceptRate?

    /// How many of its sessions may go beyond the limit of all sessions.
    package let reserve: Int

    /// Counts its sessions.
    package let limiter: SessionLimiter

    /// Who may connect, or `nil` if everybody may.
    let rules: AccessRules?

    /// Whose PROXY headers are read, or `nil` if none are.
    let headerSources: AccessRules?

    /// Counts the sessions of each source, or `nil` if they are not limited.
    let sources: SourceTable?

    /// Paces the connections, or `nil` if they may come as fast as they do.
    let pacer: AcceptPacer?

    /// What each worker has counted for it.
    package let counters: [ListenerCounters]

    /// Makes a listener of its configuration.
    ///
    /// - Parameters:
    ///   - configuration: The listener as the file has it.
    ///   - upstream: The slot of the upstream that it hands its sessions to.
    ///   - capacity: The most sessions that the daemon can ever have.
    ///   - workers: How many workers there are.
    ///   - former: The listener whose place it takes.
    package init(
        _ configuration: ListenerConfiguration,
        upstream: Int?,
        capacity: Int,
        workers: Int,
        former: Listener? = nil
    ) {
        let kind = configuration.handler.kind
        guard let service = SessionService(rawValue: kind.rawValue) else {
            preconditionFailure("the configuration lets no such handler through")
        }
        name = configuration.name
        self.service = service
        reserve = service == .metrics ? SessionLimiter.metricsReserve : 0
        timeouts = SessionTimeouts(configuration, for: service)
        whenFull = configuration.whenFull
        self.upstream = upstream
        keepAlive = configuration.socket.keepAlive
        userTimeout = configuration.timeouts.userTimeout
        maxSessions = configuration.maxSessions
        limiter = former?.limiter ?? SessionLimiter(limit: maxSessions ?? .max)
        let isOpen = configuration.allow == nil && configuration.deny.isEmpty
        rules = isOpen ? nil : AccessRules(allow: configuration.allow, deny: configuration.deny)
        headerSources = configuration.proxyProtocol.map { AccessRules(allow: $0.from, deny: []) }
        maxSessionsPerSource = configuration.maxSessionsPerSource
        sources = configuration.maxSessionsPerSource.map {
            former?.sources ?? SourceTable(limit: $0, capacity: capacity)
        }
        acceptRate = configuration.acceptRate
        // One that goes on does not grant another burst.
        let isSameRate = former?.acceptRate == acceptRate
        pacer = (isSameRate ? former?.pacer : nil) ?? acceptRate.map(AcceptPacer.init)
        counters = (0..<workers).map { _ in ListenerCounters() }
    }

    /// Puts the limits into effect on the counts that it shares with a former listener.
    package func applyLimits() {
        limiter.limit = maxSessions ?? .max
        if let maxSessionsPerSource { sources?.limit = maxSessionsPerSource }
    }

    /// What all workers have counted.
    package var tally: ListenerTally { counters.map(\.tally).reduce(ListenerTally(), +) }
}

extension SessionTimeouts {
    fileprivate init(_ configuration: ListenerConfiguration, for service: SessionService) {
        let timeouts = configuration.timeouts
        // Who is spoken to first need not say a word.
        firstByte = (service.awaitsClient ? timeouts.firstByte : nil)?.milliseconds ?? .max
        idle = timeouts.idle?.milliseconds ?? .max
        halfClosed = timeouts.halfClosed?.milliseconds ?? .max
        lifetime = timeouts.lifetime?.milliseconds ?? .max
        requestHead = service == .metrics ? firstByte : .max
        proxyHeader = configuration.proxyProtocol?.timeout.milliseconds ?? .max
    }
}
