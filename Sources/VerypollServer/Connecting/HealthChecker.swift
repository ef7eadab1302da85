package import Logging
internal import SystemPackage
package import Verypoll
internal import VerypollConfiguration

/// Checks the servers of each upstream that has a health check.
///
/// The checker runs on the supervisor's thread, in the supervisor's poll, and never blocks. The
/// supervisor passes events of ``tokens`` to ``handle(_:now:)`` and calls ``tick(now:)`` at
/// ``deadline``.
package struct HealthChecker: ~Copyable {
    /// The most checks at a time; other due checks wait.
    static let probeLimit = 64

    /// The time over which the first checks are spread.
    static let firstSpread = Duration.milliseconds(100)

    /// The tokens of the checks' sockets.
    package let tokens: Range<Int>

    /// A change of a server's state.
    package struct Change: Equatable {
        package let server: ServerIndex
        package let change: HealthRecord.Change
    }

    private var upstreams: [Upstream] = []
    private let registry: Registry
    private let logger: Logger
    private let version: String
    private var firstResults: [ServerIndex] = []
    private var targets: [HealthTarget] = []
    /// The indices of the servers in `targets`.
    private var places: [ServerIndex: Int] = [:]
    private var probes: [HealthProbe?]
    private var lastNumber = 0
    private var runningCount = 0
    private var generator = SmallGenerator(state: .random(in: 0 ... .max))

    /// Makes a checker whose first checks are due now, or a little later.
    ///
    /// - Parameters:
    ///   - upstreams: The upstreams whose servers are checked.
    ///   - registry: The registry of the poll in which the checks run.
    ///   - firstToken: The first token of the checker; see ``tokens``.
    ///   - now: The current time.
    ///   - version: The version of the daemon, which checks over HTTP send.
    ///   - logger: Logs changes.
    package init(
        _ upstreams: [Upstream],
        registry: consuming Registry,
        firstToken: Int,
        now: ContinuousClock.Instant,
        version: String,
        logger: Logger
    ) {
        self.version = version
        self.registry = registry
        self.logger = logger
        tokens = firstToken..<firstToken + Self.probeLimit
        probes = Array(repeating: nil, count: Self.probeLimit)
        adopt(upstreams, slots: Array(upstreams.indices), now: now)
    }

    /// Replaces the upstreams, and keeps the results of servers that remain.
    package mutating func adopt(_ upstreams: [Upstream], slots: [Int], now: ContinuousClock.Instant)
    {
        let former = self.upstreams.byServer(targets.map { ($0.index, $0) })
        targets = []
        for index in upstreams.serverIndices(in: slots) {
            let server = upstreams[index]
            guard let check = upstreams[index.upstream].configuration.check else {
                server.isDown = false  // Without checks, nothing would mark it as up again.
                server.awaitsFirstCheck = false
                continue
            }
            let known = former[ObjectIdentifier(server)]
            if var target = known, target.check == check {
                target.index = index
                targets.append(target)
                continue
            }
            if known == nil { server.awaitsFirstCheck = true }
            lastNumber += 1
            let delay = Self.firstSpread * Double.random(in: 0..<1, using: &generator)
            targets.append(
                HealthTarget(
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

    /// The time at which ``tick(now:)`` must be called.
    package var deadline: ContinuousClock.Instant? {
        var deadline = runningCount < Self.probeLimit ? targets.compactMap(\.dueAt).min() : nil
        guard runningCount > 0 else { return deadline }
        for case let probe? in probes {
            deadline = min(deadline ?? probe.dueAt, probe.dueAt)
        }
        return deadline
    }

    /// Whether a check is in progress.
    var isChecking: Bool { runningCount > 0 }

    /// Returns why the last check of a server failed; `nil` if it succeeded.
    package func failure(of server: ServerIndex) -> String? {
        places[server].flatMap { targets[$0].record.failure }
    }

    /// Returns the result of a server's last check; `nil` if there was none.
    package func lastCheck(of server: ServerIndex) -> CheckResult? {
        places[server].flatMap { targets[$0].lastCheck }
    }

    /// Takes the servers that have had the first result of a check since the last call.
    package mutating func takeFirstResults() -> [ServerIndex] {
        defer { firstResults = [] }
        return firstResults
    }

    /// Continues the check that an event belongs to.
    package mutating func handle(_ event: Event, now: ContinuousClock.Instant) -> Change? {
        let slot = event.token.rawValue - tokens.lowerBound
        // An event may belong to a check that is over or was replaced, so the check trusts only the
        // results of its own system calls.
        guard let probe = probes[slot] else { return nil }
        return settle(slot, probe.advance(with: registry, now: now), now: now)
    }

    /// Ends the checks that have timed out and begins those that are due, the most overdue first.
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

    /// Makes the next check of a server due at once, unless one is running.
    ///
    /// Call this when the server's addresses become known.
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
            // The server has no address, which says nothing about its health.
            targets[index].dueAt = now + jittered(target.check.interval)
            return nil
        }
        let probe = HealthProbe(
            of: target.number,
            server,
            check: target.check,
            header: upstream.proxyHeader,
            version: version,
            token: Token(tokens.lowerBound + slot),
            now: now
        )
        targets[index].dueAt = nil
        probes[slot] = probe
        runningCount += 1
        return settle(slot, probe.start(with: registry, now: now), now: now)
    }

    /// Records the outcome of a check, if there is one.
    private mutating func settle(
        _ slot: Int,
        _ outcome: HealthProbe.Outcome?,
        now: ContinuousClock.Instant
    ) -> Change? {
        guard let outcome, let probe = probes[slot] else { return nil }
        probes[slot] = nil
        runningCount -= 1
        // The server may have been removed, or may have another check now.
        guard let index = targets.firstIndex(where: { $0.number == probe.target }) else {
            return nil
        }
        let interval = jittered(targets[index].check.interval)
        targets[index].dueAt = max(now, probe.startedAt + interval)
        let wasHindered = targets[index].isHindered
        targets[index].isHindered = false
        switch outcome {
        case .success: return note(nil, of: index, after: now - probe.startedAt)
        case .failure(let reason): return note(reason, of: index, after: now - probe.startedAt)
        case .inconclusive(let error):
            targets[index].isHindered = true
            if !wasHindered {
                logger.warning(
                    .checkHindered,
                    "\(upstreams.name(of: targets[index].index)) cannot be checked: \(error)",
                    metadata: metadata(index)
                )
            }
            return nil
        }
    }

    private mutating func note(
        _ failure: String?,
        of index: Int,
        after duration: Duration
    ) -> Change? {
        let server = upstreams[targets[index].index]
        let name = upstreams.name(of: targets[index].index)
        let result = CheckResult(failure: failure, duration: duration)
        targets[index].lastCheck = result
        server.counters.add(result)
        if server.awaitsFirstCheck {
            server.awaitsFirstCheck = false
            firstResults.append(targets[index].index)
        }
        let change = targets[index].record.note(failure)
        switch change {
        case .down:
            server.isDown = true
            logger.warning(
                .serverDown,
                "\(name) is down: \(failure ?? "")",
                metadata: metadata(index)
            )
        case .up:
            server.cameUp(now: MonotonicClock.milliseconds())
            server.isDown = false
            logger.notice(.serverUp, recovery(of: server, name), metadata: metadata(index))
        case nil:
            if let failure, !server.isDown {
                logger.info(
                    .checkFailed,
                    "a check of \(name) failed: \(failure)",
                    metadata: metadata(index)
                )
            }
        }
        return change.map { Change(server: targets[index].index, change: $0) }
    }

    /// Returns the log message for a server whose checks succeed again.
    private func recovery(of server: UpstreamServer, _ name: String) -> Logger.Message {
        let isEjected = server.isEjected(now: MonotonicClock.milliseconds())
        guard let obstacle = server.obstacle ?? (isEjected ? "it stays ejected" : nil) else {
            return "\(name) is up again"
        }
        return "the checks of \(name) succeed again; \(obstacle)"
    }

    /// Returns the interval with a random change of up to a tenth, so that checks that begin
    /// together drift apart.
    private mutating func jittered(_ interval: Duration) -> Duration {
        interval * Double.random(in: 0.9...1.1, using: &generator)
    }

    private func metadata(_ index: Int) -> Logger.Metadata {
        upstreams.metadata(of: targets[index].index)
    }
}
