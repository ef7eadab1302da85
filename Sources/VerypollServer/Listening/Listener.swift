internal import Synchronization
package import VerypollConfiguration

/// A named group of listening sockets whose connections are served alike.
///
/// All threads share a listener; only its limiter, its source table, its pacer, its counters and
/// ``isReplaced`` change. When a reload changes its configuration, a new listener is made in
/// another slot, and live sessions keep this one. The new listener shares the limiter, the source
/// table if sessions per source are still limited, and the pacer if the rate is unchanged. Its
/// counters begin at zero. The acceptors hold the sockets, which close when the last acceptor
/// releases them.
package final class Listener: Sendable {
    /// The name in the configuration.
    package let name: String
    package let service: SessionService
    let timeouts: SessionTimeouts
    /// Whether HTTP clients can read the status page.
    let servesPage: Bool
    let whenFull: ListenerConfiguration.WhenFull

    /// Whether the ends of its sessions are logged; `nil` if the setting of the daemon applies.
    let logsSessions: Bool?

    /// The slot of the upstream to which all sessions are proxied; see ``LiveConfiguration``.
    ///
    /// `nil` if they are not proxied, or if ``router`` chooses.
    package let upstream: Int?

    /// Chooses the upstreams of the sessions by their first bytes; `nil` without inspection.
    package let router: Router?

    /// The slots of all upstreams, in the order of `Routing.upstreams`.
    package let upstreams: [Int]

    /// The idle time after which the kernel probes a server's connection, as for clients.
    let keepAlive: Duration?

    /// The time for a server to acknowledge the bytes sent to it, as for clients.
    let userTimeout: Duration?

    /// The configured limit; `nil` if only the limit of all sessions applies.
    package let maxSessions: Int?

    /// The most sessions per source; `nil` if they are not limited.
    private let maxSessionsPerSource: Int?

    /// The limit of the accept rate; `nil` if there is none.
    private let acceptRate: ListenerConfiguration.AcceptRate?

    /// The number of sessions of this listener that may exceed the limit of all sessions.
    package let reserve: Int

    /// Counts its sessions.
    package let limiter: SessionLimiter

    /// The addresses that may connect; `nil` if all may.
    let rules: AccessRules?

    /// The addresses that must send a PROXY header; `nil` if none must.
    let headerSources: AccessRules?

    /// Counts the sessions of each source; `nil` if they are not limited.
    let sources: SourceTable?

    /// Limits the accept rate; `nil` if it is not limited.
    let pacer: AcceptPacer?

    /// The counters of each worker for this listener.
    package let counters: [ListenerCounters]

    /// Makes a listener from its configuration.
    ///
    /// - Parameters:
    ///   - configuration: The listener's part of the configuration file.
    ///   - upstreams: The slots of the handler's upstreams, in the order of `Routing.upstreams`.
    ///   - capacity: The most sessions that the daemon can ever have.
    ///   - workers: The number of workers.
    ///   - former: The listener that this one replaces.
    package init(
        _ configuration: ListenerConfiguration,
        upstreams: [Int],
        capacity: Int,
        workers: Int,
        former: Listener? = nil
    ) {
        let service = SessionService(configuration.handler.kind)
        name = configuration.name
        self.service = service
        servesPage = configuration.handler.servesPage
        reserve = service == .metrics ? SessionLimiter.metricsReserve : 0
        timeouts = SessionTimeouts(configuration, for: service)
        whenFull = configuration.whenFull
        // Nobody wants to read about scrapes, unless the configuration says so.
        logsSessions = configuration.log.sessions ?? (service == .metrics ? false : nil)
        self.upstreams = upstreams
        if let routing = configuration.handler.routing, routing.inspection != .off {
            upstream = nil
            router = Router(routing, upstreams: upstreams, former: former?.router)
        } else {
            upstream = upstreams.first
            router = nil
        }
        keepAlive = configuration.socket.keepAlive
        userTimeout = configuration.timeouts.userTimeout
        maxSessions = configuration.maxSessions
        limiter = former?.limiter ?? SessionLimiter(limit: maxSessions ?? .max)
        let isOpen = configuration.allow == nil && configuration.deny.isEmpty
        rules =
            isOpen
            ? nil
            : AccessRules(
                allow: configuration.allow?.addresses,
                deny: configuration.deny.addresses
            )
        headerSources = configuration.proxyProtocol.map { AccessRules(allow: $0.from, deny: []) }
        maxSessionsPerSource = configuration.maxSessionsPerSource
        sources = configuration.maxSessionsPerSource.map {
            former?.sources ?? SourceTable(limit: $0, capacity: capacity)
        }
        acceptRate = configuration.acceptRate
        // A new pacer would grant another burst.
        let isSameRate = former?.acceptRate == acceptRate
        pacer = (isSameRate ? former?.pacer : nil) ?? acceptRate.map(AcceptPacer.init)
        counters = (0..<workers).map { _ in ListenerCounters() }
    }

    /// Applies the configured limits to the limiter and the source table, which a former listener
    /// may share.
    package func applyLimits() {
        limiter.limit = maxSessions ?? .max
        if let maxSessionsPerSource { sources?.limit = maxSessionsPerSource }
    }

    private let replaced = Atomic(false)

    /// Whether a reload has replaced or removed the listener, so that it gets no new sessions.
    package var isReplaced: Bool {
        get { replaced.load(ordering: .relaxed) }
        set { replaced.store(newValue, ordering: .relaxed) }
    }

    /// The sum of the counters of all workers.
    package var tally: ListenerTally { counters.map(\.tally).reduce(ListenerTally(), +) }
}

extension SessionTimeouts {
    fileprivate init(_ configuration: ListenerConfiguration, for service: SessionService) {
        let timeouts = configuration.timeouts
        // A client that is sent the first byte need not send anything.
        firstByte = (service.awaitsClient ? timeouts.firstByte : nil)?.milliseconds ?? .max
        idle = timeouts.idle?.milliseconds ?? .max
        halfClosed = timeouts.halfClosed?.milliseconds ?? .max
        lifetime = timeouts.lifetime?.milliseconds ?? .max
        requestHead = service == .metrics ? firstByte : .max
        proxyHeader = configuration.proxyProtocol?.timeout.milliseconds ?? .max
        inspect = timeouts.inspect.milliseconds
    }
}
