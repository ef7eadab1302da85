internal import Logging
internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// What the supervisor does for the upstreams: names, checks, and ejections that sessions report.
///
/// It lives inside the supervisor's poll: events of ``tokens`` go to ``handle(_:now:)``, and at
/// ``deadline`` it wants ``tick(now:)``. What the workers are to be told gathers in ``takeNews()``.
struct UpstreamMonitor: ~Copyable {
    /// Why a server is ejected, in words.
    static let ejectionReason = "sessions could not connect to it"

    /// The tokens of the watch's sources.
    let tokens: Range<Int>

    /// By slot, those that only sessions still have among them.
    private(set) var upstreams: [Upstream]
    /// The slots of those that are in effect.
    private(set) var slots: [Int]
    private let logger: Logger
    private(set) var resolver: Resolver
    private(set) var checker: HealthChecker
    /// The ends of the ejections that the workers have not been told of.
    private var ejections: [ServerIndex: ContinuousClock.Instant] = [:]
    /// The states of the servers, for people.
    var serverHealth: [ServerIndex: ServerHealth] = [:]
    /// Whether somebody wants to hear of all changes of state.
    var isMonitored = false {
        didSet { if !isMonitored { changes = [] } }
    }
    /// The changes since they were taken last.
    var changes: [Change] = []
    private var news: [WorkerMessage] = []

    /// Makes the watch, whose first look-ups and checks are due at once.
    ///
    /// - Parameters:
    ///   - upstreams: All of them, in the order of the configuration.
    ///   - registry: A handle of the poll whose events come to it.
    ///   - firstToken: The first of the tokens that are its own; see ``tokens``.
    ///   - now: The present.
    ///   - logger: Hears of changes.
    ///   - lookup: Asks the name service.
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
        slots = Array(upstreams.indices)
        self.logger = logger
        checker = HealthChecker(
            upstreams,
            registry: registry,
            firstToken: firstToken + 1,
            now: now,
            logger: logger
        )
        tokens = firstToken..<checker.tokens.upperBound
        for index in upstreams.serverIndices { look(at: index) }
    }

    /// Those that are in effect.
    var current: [Upstream] { slots.map { upstreams[$0] } }

    /// Goes over to other upstreams; what is known of servers that stay is kept.
    ///
    /// - Parameters:
    ///   - upstreams: All of them, by slot.
    ///   - slots: The slots of those that are in effect.
    ///   - now: The present.
    mutating func adopt(
        _ upstreams: [Upstream],
        slots: [Int],
        now: ContinuousClock.Instant = .now
    ) {
        let seen = self.upstreams.byServer(serverHealth.map { ($0.key, $0.value) })
        let ejected = self.upstreams.byServer(ejections.map { ($0.key, $0.value) })
        resolver.adopt(upstreams, slots: slots, now: now)
        checker.adopt(upstreams, slots: slots, now: now)
        self.upstreams = upstreams
        self.slots = slots
        serverHealth = [:]
        ejections = [:]
        for index in upstreams.serverIndices(in: slots) {
            let server = ObjectIdentifier(upstreams[index])
            serverHealth[index] = seen[server]
            ejections[index] = ejected[server]
            look(at: index)
        }
    }

    /// When ``tick(now:)`` is due.
    var deadline: ContinuousClock.Instant? {
        [resolver.deadline, checker.deadline, ejections.values.min()].compactMap { $0 }.min()
    }

    /// Takes the changes of state that were seen since the last time.
    mutating func takeChanges() -> [Change] {
        defer { changes = [] }
        return changes
    }

    /// Takes what the workers are to be told.
    mutating func takeNews() -> [WorkerMessage] {
        defer { news = [] }
        return news
    }

    /// Works on what an event tells of.
    mutating func handle(_ event: Event, now: ContinuousClock.Instant = .now) {
        if checker.tokens.contains(event.token.rawValue) {
            if let change = checker.handle(event, now: now) { note(change) }
            return
        }
        for server in resolver.takeAnswers(now: now) {
            look(at: server)
            checker.check(server, now: now)
            tell(.serversChanged)
        }
    }

    /// Works on what is due.
    mutating func tick(now: ContinuousClock.Instant = .now) {
        resolver.tick(now: now)
        for change in checker.tick(now: now) { note(change) }
        endEjections(now: now)
    }

    /// Ends the ejections whose time is over.
    private mutating func endEjections(now: ContinuousClock.Instant) {
        for (server, end) in ejections where end <= now {
            ejections[server] = nil
            let moment = WallClock.microseconds() - Int((now - end) / .microseconds(1))
            enter(upstreams[server].stateButForEjection, of: server, at: moment)
            // It may be out again by now, and the message that says so be on its way.
            if upstreams[server].isEjected(now: MonotonicClock.milliseconds()) { continue }
            let name = upstreams[server].name
            if let obstacle = upstreams[server].obstacle {
                let message = "\(name) is no longer ejected; \(obstacle)"
                log(.info, .serverReadmitted, "\(message)", server)
            } else {
                log(.info, .serverReadmitted, "\(name) is tried again", server)
                tell(.serversChanged)
            }
        }
    }

    /// Notes what a session has changed in the health of a server.
    ///
    /// By the time that the supervisor hears of it, the next change may be made already, whose
    /// message follows; so the states are those of the messages.
    ///
    /// - Parameters:
    ///   - change: What has changed.
    ///   - server: The server, by any of its places.
    ///   - timestamp: When it has changed, in microseconds since 1970.
    ///   - now: The present.
    mutating func note(
        _ change: ServerChange,
        of server: ServerIndex,
        at timestamp: Int = WallClock.microseconds(),
        now: ContinuousClock.Instant = .now
    ) {
        guard let server = currentIndex(of: server) else { return }
        endEjections(now: now)
        let state = upstreams[server].stateButForEjection
        switch change {
        case .ejected(let until):
            enter(state == .up ? .ejected : state, of: server, at: timestamp)
            let left = Int64(clamping: until) - Int64(clamping: MonotonicClock.milliseconds())
            // A millisecond more, as that clock is cut to milliseconds.
            ejections[server] = now + .milliseconds(max(left, 0) + 1)
            let time = upstreams[server.upstream].configuration.passive.duration.timeSpan
            let name = upstreams[server].name
            let text = "\(name) is ejected for \(time): \(Self.ejectionReason)"
            log(.warning, .serverEjected, "\(text)", server)
            tellDown(server)
        case .readmitted:
            enter(state, of: server, at: timestamp)
            ejections[server] = nil
            let name = upstreams[server].name
            if let obstacle = upstreams[server].obstacle {
                let message = "\(name) accepts connections and is no longer ejected; \(obstacle)"
                log(.notice, .serverReadmitted, "\(message)", server)
            } else {
                log(.notice, .serverReadmitted, "\(name) accepts connections again", server)
                tell(.serversChanged)
            }
        }
    }

    /// The place that a server has in effect, of which a session may know by an earlier one.
    private func currentIndex(of index: ServerIndex) -> ServerIndex? {
        if slots.contains(index.upstream) { return index }
        let server = upstreams[index]
        return upstreams.serverIndices(in: slots).first { upstreams[$0] === server }
    }

    private mutating func note(_ change: HealthChecker.Change) {
        look(at: change.server)
        switch change.change {
        case .down:
            tellDown(change.server)
        case .up: tell(.serversChanged)
        }
    }

    /// Sessions may know the server by other places, of earlier configurations.
    private mutating func tellDown(_ index: ServerIndex) {
        let server = upstreams[index]
        for place in upstreams.serverIndices where upstreams[place] === server {
            tell(.serverDown(upstream: place.upstream, server: place.server))
        }
    }

    private mutating func tell(_ message: WorkerMessage) {
        if !news.contains(message) { news.append(message) }
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
