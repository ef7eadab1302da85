package import Logging
internal import SystemPackage
package import Verypoll
internal import VerypollConfiguration

/// Checks the servers of the upstreams whose configuration says so.
///
/// It lives on the supervisor's thread, inside the supervisor's poll, and never waits. Events of
/// ``tokens`` go to ``handle(_:now:)``, and at ``deadline`` it wants ``tick(now:)``.
package struct HealthChecker: ~Copyable {
    /// The most checks at a time; others that are due wait for their turn.
    static let probeLimit = 64

    /// The time over which the first checks are spread.
    static let firstSpread = Duration.milliseconds(100)

    /// The tokens that the checks' sockets are registered with.
    package let tokens: Range<Int>

    /// A server that is up or down since a moment ago.
    package struct Change: Equatable {
        package let server: ServerIndex
        package let change: HealthRecord.Change
    }

    private struct Target {
        let number: Int
        var index: ServerIndex
        let check: UpstreamConfiguration.HealthCheck
        var record: HealthRecord
        /// When to check it, or `nil` while it is being checked.
        var dueAt: ContinuousClock.Instant?
        /// Whether the last check could not be made.
        var isHindered = false
    }

    private var upstreams: [Upstream] = []
    private let registry: Registry
    private let logger: Logger
    private var targets: [Target] = []
    /// Where the servers are in `targets`.
    private var places: [ServerIndex: Int] = [:]
    private var probes: [HealthProbe?]
    private var lastNumber = 0
    private var runningCount = 0
    private var generator = SmallGenerator(state: .random(in: 0 ... .max))

    /// Makes a checker whose first checks are due now, or a little later.
    ///
    /// - Parameters:
    ///   - upstreams: Whose servers are checked.
    ///   - registry: A handle of the poll whose events come to it.
    ///   - firstToken: The first of the tokens that are its own; see ``tokens``.
    ///   - now: The present.
    ///   - logger: Hears of changes.
    package init(
        _ upstreams: [Upstream],
        registry: consuming Registry,
        firstToken: Int,
        now: ContinuousClock.Instant,
        logger: Logger
    ) {
        self.registry = registry
        self.logger = logger
        tokens = firstToken..<firstToken + Self.probeLimit
        probes = Array(repeating: nil, count: Self.probeLimit)
        adopt(upstreams, slots: Array(upstreams.indices), now: now)
    }

    /// Goes over to other upstreams; what checks have shown of servers that stay is kept.
    package mutating func adopt(_ upstreams: [Upstream], slots: [Int], now: ContinuousClock.Instant)
    {
        let former = self.upstreams.byServer(targets.map { ($0.index, $0) })
        targets = []
        for index in upstreams.serverIndices(in: slots) {
            let server = upstreams[index]
            guard let check = upstreams[index.upstream].configuration.check else {
                server.isDown = false  // As nothing would ever say that it is up again.
                continue
            }
            if var target = former[ObjectIdentifier(server)], target.check == check {
                target.index = index
                targets.append(target)
                continue
            }
            lastNumber += 1
            let delay = Self.firstSpread * Double.random(in: 0..<1, using: &generator)
            targets.append(
                Target(
                    number: lastNumber,
                    index: index,
                    check: check,
                    record: HealthRecord(check, isDown: server.isDown),
                    dueAt: now + delay
                )
            )
        }
        self.upstreams = upstreams
        places = Dictionary(
            targets.indices.map { (targets[$0].index, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// When ``tick(now:)`` is due.
    package var deadline: ContinuousClock.Instant? {
        var deadline = runningCount < Self.probeLimit ? targets.compactMap(\.dueAt).min() : nil
        guard runningCount > 0 else { return deadline }
        for case let probe? in probes {
            deadline = min(deadline ?? probe.dueAt, probe.dueAt)
        }
        return deadline
    }

    /// Whether a check is under way.
    var isChecking: Bool { runningCount > 0 }

    /// Why the last check of a server failed, or `nil` if it did not.
    package func failure(of server: ServerIndex) -> String? {
        places[server].flatMap { targets[$0].record.failure }
    }

    /// Goes on with the check that an event is for.
    package mutating func handle(_ event: Event, now: ContinuousClock.Instant) -> Change? {
        let slot = event.token.rawValue - tokens.lowerBound
        // An event may come late, for a check that is over or for one that took its place; nothing
        // but the calls on the socket themselves is believed.
        guard let probe = probes[slot] else { return nil }
        return settle(slot, probe.advance(with: registry, now: now), now: now)
    }

    /// Ends the checks whose time is over, and begins those that are due, the latest ones first.
    package mutating func tick(now: ContinuousClock.Instant) -> [Change] {
        var changes: [Change] = []
        for slot in probes.indices {
            guard let probe = probes[slot], probe.dueAt <= now else { continue }
            let outcome = probe.expire(with: registry, now: now)
            if let change = settle(slot, outcome, now: now) { changes.append(change) }
        }
        let due = targets.indices.filter { targets[$0].dueAt.map { $0 <= now } ?? false }
        for target in due.sorted(by: { isDue($0, before: $1) }) {
            guard let slot = probes.firstIndex(where: { $0 == nil }) else { break }
            if let change = start(target, in: slot, now: now) { changes.append(change) }
        }
        return changes
    }

    /// Checks a server at once whose addresses are known now.
    package mutating func check(_ server: ServerIndex, now: ContinuousClock.Instant) {
        guard let index = places[server] else { return }
        if targets[index].dueAt != nil { targets[index].dueAt = now }
    }

    private func isDue(_ one: Int, before other: Int) -> Bool {
        guard let first = targets[one].dueAt, let second = targets[other].dueAt else {
            return false
        }
        return first < second
    }

    private mutating func start(
        _ index: Int,
        in slot: Int,
        now: ContinuousClock.Instant
    ) -> Change? {
        let target = targets[index]
        let upstream = upstreams[target.index.upstream]
        let server = upstreams[target.index]
        guard !server.isUnresolved else {
            // There is nothing to connect to, which says nothing about the server.
            targets[index].dueAt = now + jittered(target.check.interval)
            return nil
        }
        let probe = HealthProbe(
            of: target.number,
            server,
            check: target.check,
            header: upstream.proxyHeader,
            token: Token(tokens.lowerBound + slot),
            now: now
        )
        targets[index].dueAt = nil
        probes[slot] = probe
        runningCount += 1
        return settle(slot, probe.start(with: registry, now: now), now: now)
    }

    /// Takes the outcome of a check, if it has come to one.
    private mutating func settle(
        _ slot: Int,
        _ outcome: HealthProbe.Outcome?,
        now: ContinuousClock.Instant
    ) -> Change? {
        guard let outcome, let probe = probes[slot] else { return nil }
        probes[slot] = nil
        runningCount -= 1
        // The server may be gone by now, or checked in another way.
        guard let index = targets.firstIndex(where: { $0.number == probe.target }) else {
            return nil
        }
        let interval = jittered(targets[index].check.interval)
        targets[index].dueAt = max(now, probe.startedAt + interval)
        let wasHindered = targets[index].isHindered
        targets[index].isHindered = false
        switch outcome {
        case .success: return note(nil, of: index)
        case .failure(let reason): return note(reason, of: index)
        case .inconclusive(let error):
            targets[index].isHindered = true
            if !wasHindered {
                logger.warning(
                    .checkHindered,
                    "\(upstreams[targets[index].index].name) cannot be checked: \(error)",
                    metadata: metadata(index)
                )
            }
            return nil
        }
    }

    private mutating func note(_ failure: String?, of index: Int) -> Change? {
        let server = upstreams[targets[index].index]
        let change = targets[index].record.note(failure)
        switch change {
        case .down:
            server.isDown = true
            logger.warning(
                .serverDown,
                "\(server.name) is down: \(failure ?? "")",
                metadata: metadata(index)
            )
        case .up:
            server.isDown = false
            logger.notice(.serverUp, recovery(of: server), metadata: metadata(index))
        case nil:
            if let failure, !server.isDown {
                logger.info(
                    .checkFailed,
                    "a check of \(server.name) failed: \(failure)",
                    metadata: metadata(index)
                )
            }
        }
        return change.map { Change(server: targets[index].index, change: $0) }
    }

    /// The log message for a server whose checks succeed again.
    private func recovery(of server: UpstreamServer) -> Logger.Message {
        let isEjected = server.isEjected(now: MonotonicClock.milliseconds())
        guard let obstacle = server.obstacle ?? (isEjected ? "it stays ejected" : nil) else {
            return "\(server.name) is up again"
        }
        return "the checks of \(server.name) succeed again; \(obstacle)"
    }

    /// A tenth more or less, so that checks which begin together do not stay so.
    private mutating func jittered(_ interval: Duration) -> Duration {
        interval * Double.random(in: 0.9...1.1, using: &generator)
    }

    private func metadata(_ index: Int) -> Logger.Metadata {
        upstreams.metadata(of: targets[index].index)
    }
}
