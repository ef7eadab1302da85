import DaemonTestSupport
import SystemPackage
import TestSupport
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

/// A health checker in a poll loop that works only when a test lets it, by the test's own clock.
struct HealthCheckerFixture: ~Copyable {
    static let start = ContinuousClock.now

    let log = RecordingLog()
    let upstream: Upstream
    var checker: HealthChecker
    var now = Self.start
    private var poll: Poll

    /// Checks servers every 5 seconds, for 2 seconds at most; one failure is enough.
    init(
        _ servers: [String],
        configure: (inout UpstreamConfiguration) -> Void = { _ in }
    ) throws {
        let poll = try Poll()
        var configuration = try UpstreamConfiguration.test(servers)
        configuration.check = UpstreamConfiguration.HealthCheck(
            interval: .seconds(5),
            timeout: .seconds(2),
            rise: 1,
            fall: 1,
            send: "",
            expect: ""
        )
        configure(&configuration)
        let registry = try poll.registry.clone()
        upstream = Upstream(configuration)
        checker = HealthChecker(
            [upstream],
            registry: registry,
            firstToken: 100,
            now: now,
            version: "1.2",
            logger: log.logger
        )
        self.poll = poll
    }

    /// Begins the checks that are due when all have become so.
    ///
    /// - Returns: What changed at once.
    mutating func beginChecks() -> [HealthRecord.Change] {
        now += HealthChecker.firstSpread + .seconds(6)
        return checker.tick(now: now).map(\.change)
    }

    /// Waits for events until no check is under way.
    ///
    /// - Returns: What changed meanwhile.
    mutating func finishChecks() throws -> [HealthRecord.Change] {
        var changes: [HealthRecord.Change] = []
        var events = Events(capacity: 64)
        while checker.isChecking {
            try poll.poll(&events, timeout: patience)
            if events.isEmpty { throw TimedOut(waitingFor: "the checks to end") }
            for event in events {
                if let change = checker.handle(event, now: now) { changes.append(change.change) }
            }
        }
        return changes
    }

    /// Handles the events that are there already, or come in a moment.
    mutating func handleEvents() throws {
        var events = Events(capacity: 64)
        try poll.poll(&events, timeout: patience)
        for event in events { _ = checker.handle(event, now: now) }
    }

    /// Lets all time run out that checks still have.
    mutating func expireChecks() -> [HealthRecord.Change] {
        now += .seconds(3)
        return checker.tick(now: now).map(\.change)
    }

    /// Why the last check of a server failed.
    func failure(of server: Int = 0) -> String? {
        checker.failure(of: ServerIndex(upstream: 0, server: server))
    }
}
