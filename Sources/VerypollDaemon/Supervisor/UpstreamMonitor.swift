internal import Logging
internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// The supervisor's work for the upstreams: name resolution, health checks, and the ejections that
/// sessions report.
///
/// The supervisor's poll watches its sources. The supervisor passes events of ``tokens`` to
/// ``handle(_:now:)``, calls ``tick(now:)`` at ``deadline``, and passes on the messages of
/// ``takeNews()`` to the workers.
struct UpstreamMonitor: ~Copyable {
    /// The reason for an ejection, in words.
    static let ejectionReason = "sessions could not connect to it"

    /// The tokens of the monitor's sources.
    let tokens: Range<Int>

    /// All upstreams by slot, including those of earlier configurations that still have sessions.
    private(set) var upstreams: [Upstream]
    /// The slots of the upstreams in effect.
    private(set) var slots: [Int]
    private let logger: Logger
    private(set) var resolver: Resolver
    private(set) var checker: HealthChecker
    /// The end times of the current ejections.
    private var ejections: [ServerIndex: ContinuousClock.Instant] = [:]
    /// The last known health of the servers, as operators see it.
    var serverHealth: [ServerIndex: ServerHealth] = [:]
    /// Whether changes of health are collected for clients that monitor the daemon.
    var isMonitored = false {
        didSet { if !isMonitored { changes = [] } }
    }
    /// The changes of health since ``takeChanges()`` was last called.
    var changes: [Change] = []
    private var news = UpstreamNews()
    private var indicesByServer: [ObjectIdentifier: Set<ServerIndex>]

    /// Creates the monitor, whose first lookups and checks are due at once.
    ///
    /// - Parameters:
    ///   - upstreams: All upstreams, in the order of the configuration.
    ///   - registry: A handle of the poll that watches the monitor's sources.
    ///   - firstToken: The first of the monitor's tokens; see ``tokens``.
    ///   - now: The current time.
    ///   - logger: The logger for changes.
    ///   - lookup: Resolves names.
    /// - Throws: See eventfd(2).
    init(
        _ upstreams: [Upstream],
        registry: consuming Registry,
        firstToken: Int,
        now: ContinuousClock.Instant = .now,
        logger: Logger,
        lookup: @escaping Resolver.Lookup = NameLookup.addresses
    ) throws(Errno) {
        let answers = try Mailbox<Resolver.Answer>(registry: registry, token: Token(firstToken))
        resolver = Resolver(
            upstreams,
            answers: answers,
            now: now,
            logger: logger,
            lookup: lookup
        )
        self.upstreams = upstreams
        indicesByServer = upstreams.indicesByServer
        slots = Array(upstreams.indices)
        self.logger = logger
        checker = HealthChecker(
            upstreams,
            registry: registry,
            firstToken: firstToken + 1,
            now: now,
            version: Release.version,
            logger: logger
        )
        tokens = firstToken..<checker.tokens.upperBound
        for index in upstreams.serverIndices(in: slots) { look(at: index) }
    }

    /// The upstreams in effect.
    var current: [Upstream] { slots.map { upstreams[$0] } }

    /// Replaces the upstreams, and keeps the health of servers that remain.
    ///
    /// - Parameters:
    ///   - upstreams: All upstreams, by slot.
    ///   - slots: The slots of the upstreams in effect.
    ///   - now: The current time.
    mutating func adopt(
        _ upstreams: [Upstream],
        slots: [Int],
        now: ContinuousClock.Instant = .now
    ) {
        let seen = self.upstreams.byServer(serverHealth.map { ($0.key, $0.value) })
        let ejected = self.upstreams.byServer(ejections.map { ($0.key, $0.value) })
        resolver.adopt(upstreams, slots: slots, now: now)
        let down = upstreams.serverIndices(in: slots).filter { upstreams[$0].isDown }
        checker.adopt(upstreams, slots: slots, now: now)
        self.upstreams = upstreams
        indicesByServer = upstreams.indicesByServer
        self.slots = slots
        serverHealth = [:]
        ejections = [:]
        for index in upstreams.serverIndices(in: slots) {
            let server = ObjectIdentifier(upstreams[index])
            serverHealth[index] = seen[server]
            ejections[index] = ejected[server]
            look(at: index)
        }
        // A server that is no longer checked is no longer down.
        for index in down where !upstreams[index].isDown { tellHealth(of: index) }
    }

    /// The time at which ``tick(now:)`` must be called; `nil` if nothing is scheduled.
    var deadline: ContinuousClock.Instant? {
        [resolver.deadline, checker.deadline, ejections.values.min()].compactMap { $0 }.min()
    }

    /// Takes the changes of health since the last call.
    mutating func takeChanges() -> [Change] {
        defer { changes = [] }
        return changes
    }

    /// Takes the news to send to the workers.
    mutating func takeNews() -> UpstreamNews {
        defer { news = UpstreamNews() }
        return news
    }

    /// Handles an event of one of the monitor's sources.
    mutating func handle(_ event: Event, now: ContinuousClock.Instant = .now) {
        if checker.tokens.contains(event.token.rawValue) {
            if let change = checker.handle(event, now: now) { note(change) }
            return noteFirstResults()
        }
        for server in resolver.takeAnswers(now: now) {
            look(at: server)
            checker.check(server, now: now)
            news.haveChanged = true
        }
    }

    /// Performs the lookups and checks that are due, and ends ejections.
    mutating func tick(now: ContinuousClock.Instant = .now) {
        resolver.tick(now: now)
        for change in checker.tick(now: now) { note(change) }
        noteFirstResults()
        endEjections(now: now)
    }

    /// Ends the ejections whose time is over.
    private mutating func endEjections(now: ContinuousClock.Instant) {
        for (server, end) in ejections where end <= now {
            ejections[server] = nil
            let moment = WallClock.microseconds() - Int((now - end) / .microseconds(1))
            enter(upstreams[server].stateButForEjection, of: server, at: moment)
            // The server may be ejected again by now; the message that reports the ejection
            // follows.
            if upstreams[server].isEjected(now: MonotonicClock.milliseconds()) { continue }
            let name = upstreams.name(of: server)
            if let obstacle = upstreams[server].obstacle {
                let message = "\(name) is no longer ejected; \(obstacle)"
                log(.info, .serverReadmitted, "\(message)", server)
            } else {
                log(.info, .serverReadmitted, "\(name) is tried again", server)
                news.haveChanged = true
            }
        }
    }

    /// Notes a change that a session has made to the health of a server.
    ///
    /// By the time the supervisor handles this message, the server may have changed again, and
    /// another message follows. Therefore the ejection is taken from the message, not from the
    /// server.
    ///
    /// - Parameters:
    ///   - change: The change.
    ///   - changed: The server. Nothing happens if it is no longer in effect.
    ///   - timestamp: The time of the change, in microseconds since 1970.
    ///   - now: The current time.
    mutating func note(
        _ change: ServerChange,
        of changed: UpstreamServer,
        at timestamp: Int = WallClock.microseconds(),
        now: ContinuousClock.Instant = .now
    ) {
        guard let server = currentIndex(of: changed) else { return }
        endEjections(now: now)
        let state = upstreams[server].stateButForEjection
        switch change {
        case .ejected(let until):
            enter(state.isAvailable ? .ejected : state, of: server, at: timestamp)
            let left = Int64(clamping: until) - Int64(clamping: MonotonicClock.milliseconds())
            // Add a millisecond, because that clock is truncated to milliseconds.
            ejections[server] = now + .milliseconds(max(left, 0) + 1)
            let time = upstreams[server.upstream].configuration.passive.duration.timeSpan
            let name = upstreams.name(of: server)
            let text = "\(name) is ejected for \(time): \(Self.ejectionReason)"
            log(.warning, .serverEjected, "\(text)", server)
        case .readmitted:
            enter(state, of: server, at: timestamp)
            ejections[server] = nil
            let name = upstreams.name(of: server)
            if let obstacle = upstreams[server].obstacle {
                let message = "\(name) accepts connections and is no longer ejected; \(obstacle)"
                log(.notice, .serverReadmitted, "\(message)", server)
            } else {
                log(.notice, .serverReadmitted, "\(name) accepts connections again", server)
                news.haveChanged = true
            }
        }
    }

    /// Returns the index of a server; `nil` if it is not in effect.
    private func currentIndex(of server: UpstreamServer) -> ServerIndex? {
        indicesByServer[ObjectIdentifier(server)]?.first { index in
            slots.contains(index.upstream) && upstreams[index.upstream].isListed(index.server)
        }
    }

    private mutating func note(_ change: HealthChecker.Change) {
        look(at: change.server)
        tellHealth(of: change.server)
        // A session that waits for a server that is now down may get another one, or no server.
        news.haveChanged = true
    }

    /// Notes the servers that are no longer unchecked.
    private mutating func noteFirstResults() {
        for index in checker.takeFirstResults() { look(at: index) }
    }

    /// Reports to the workers whether a server is down.
    private mutating func tellHealth(of index: ServerIndex) {
        let server = upstreams[index]
        let indices = indicesByServer[ObjectIdentifier(server)] ?? [index]
        news.note(indices, areDown: server.isOutOfService)
    }

    private func log(
        _ level: Logger.Level,
        _ kind: JournalMessageID,
        _ message: Logger.Message,
        _ server: ServerIndex
    ) {
        logger.log(level: level, kind, message, metadata: upstreams.metadata(of: server))
    }
}
