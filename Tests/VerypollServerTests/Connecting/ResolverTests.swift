import DaemonTestSupport
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Resolver")
struct ResolverTests {
    static let start = ContinuousClock.now
    private static let first = SocketAddress(IPAddress(v4: 0x0A00_0001), port: 80)
    private static let second = SocketAddress(IPAddress(v4: 0x0A00_0002), port: 80)

    @Test("names are looked up at once and then by the interval, from the end of the last time")
    func repeats() throws {
        var fixture = try ResolverFixture(["app.example:80"])
        fixture.service.answers = ["app.example": .success([Self.first])]
        #expect(fixture.resolver.deadline == Self.start)
        try fixture.run(now: Self.start)
        #expect(fixture.addresses == [["10.0.0.1:80"]])
        #expect(fixture.log.takeLines() == ["info app/app.example:80 is at 10.0.0.1:80"])

        #expect(fixture.resolver.deadline == Self.start + .seconds(30))
        fixture.resolver.tick(now: Self.start + .seconds(29))
        #expect(fixture.resolver.deadline == Self.start + .seconds(30))
        try fixture.run(now: Self.start + .seconds(30), answeredAt: Self.start + .seconds(35))
        #expect(fixture.resolver.deadline == Self.start + .seconds(65))
        #expect(fixture.service.count == 2)
        #expect(fixture.log.takeLines() == [])
    }

    @Test("addresses keep the order of the answer, and another order is no news")
    func keepsOrder() throws {
        var fixture = try ResolverFixture(["app.example:80"])
        fixture.service.answers = ["app.example": .success([Self.second, Self.first])]
        try fixture.run(now: Self.start)
        #expect(fixture.addresses == [["10.0.0.2:80", "10.0.0.1:80"]])
        _ = fixture.log.takeLines()
        fixture.service.answers = ["app.example": .success([Self.first, Self.second])]
        try fixture.run(now: Self.start + .seconds(30))
        #expect(fixture.addresses == [["10.0.0.1:80", "10.0.0.2:80"]])
        #expect(fixture.log.takeLines() == [])
    }

    @Test("other addresses take the place of the old ones, and the log names both")
    func replaces() throws {
        var fixture = try ResolverFixture(["app.example:80"])
        fixture.service.answers = ["app.example": .success([Self.first])]
        try fixture.run(now: Self.start)
        fixture.service.answers = ["app.example": .success([Self.second])]
        _ = fixture.log.takeLines()
        #expect(try fixture.run(now: Self.start + .seconds(30)) == [])
        #expect(fixture.addresses == [["10.0.0.2:80"]])
        let line = "info app/app.example:80 is at 10.0.0.2:80, and no longer at 10.0.0.1:80"
        #expect(fixture.log.takeLines() == [line])
    }

    @Test("after a failure the last addresses are kept, which the log says once for each reason")
    func keepsAddresses() throws {
        var fixture = try ResolverFixture(["app.example:80"])
        fixture.service.answers = ["app.example": .success([Self.first])]
        try fixture.run(now: Self.start)
        _ = fixture.log.takeLines()
        var now = Self.start + .seconds(30)
        var lines: [String] = []
        for reason in ["try again", "try again", "no such name", "no such name"] {
            fixture.service.answers = ["app.example": .failure(.init(reason: reason))]
            try fixture.run(now: now)
            #expect(fixture.addresses == [["10.0.0.1:80"]])
            lines += fixture.log.takeLines()
            now = try #require(fixture.resolver.deadline)
        }
        #expect(
            lines == [
                "warning app/app.example:80 is not found: try again; its last addresses are kept",
                "warning app/app.example:80 is not found: no such name; its last addresses are kept",
            ]
        )
        fixture.service.answers = ["app.example": .success([Self.first])]
        try fixture.run(now: now)
        #expect(fixture.log.takeLines() == ["info app/app.example:80 is found again"])
        #expect(fixture.failures == [nil])
    }

    @Test("failures are followed by attempts at growing distances, up to the interval")
    func backsOff() throws {
        var fixture = try ResolverFixture(["app.example:80"])
        var now = Self.start
        var delays: [Duration] = []
        for _ in 0..<7 {
            try fixture.run(now: now)
            let next = try #require(fixture.resolver.deadline)
            delays.append(next - now)
            now = next
        }
        #expect(delays == [1, 2, 4, 8, 16, 30, 30].map { Duration.seconds($0) })
        #expect(fixture.failures == ["no such name"])
        fixture.service.answers = ["app.example": .success([Self.first])]
        try fixture.run(now: now)
        fixture.service.answers = [:]
        now += .seconds(30)
        try fixture.run(now: now)
        #expect(fixture.resolver.deadline == now + .seconds(1))
    }

    @Test("the first answer is news for sessions, also if it is none, and the first address too")
    func tellsOfFirstAnswer() throws {
        var fixture = try ResolverFixture(["10.0.0.9:80", "app.example:80"])
        let index = ServerIndex(upstream: 0, server: 1)
        #expect(fixture.upstream.awaitsNames)
        #expect(try fixture.run(now: Self.start) == [index])
        #expect(!fixture.upstream.awaitsNames)
        #expect(try fixture.run(now: Self.start + .seconds(1)) == [])
        fixture.service.answers = ["app.example": .success([Self.first])]
        #expect(try fixture.run(now: Self.start + .seconds(3)) == [index])
        #expect(try fixture.run(now: Self.start + .seconds(33)) == [])
        #expect(fixture.addresses == [["10.0.0.9:80"], ["10.0.0.1:80"]])
    }

    @Test("names that take long hold up others only where they are more than the threads")
    func looksUpAtOnce() throws {
        let slow = (1..<Resolver.threadLimit).map { "slow\($0).example" }
        let hosts = slow + ["app.example", "other.example"]
        var fixture = try ResolverFixture(hosts.map { "\($0):80" })
        for host in hosts { fixture.service.answers[host] = .success([Self.first]) }
        // All of the first wait until each has a thread.
        fixture.service.held = Set(hosts.prefix(Resolver.threadLimit))
        defer { fixture.service.held = [] }
        fixture.resolver.tick(now: Self.start)
        let service = fixture.service
        try eventually("as many look-ups as threads") { service.running == Resolver.threadLimit }
        fixture.service.held = Set(slow)
        // All threads are at work; the name that is left gets the first that becomes free.
        #expect(fixture.resolver.deadline == nil)
        for server in [3, 4] {
            let found = try fixture.awaitAnswers(now: Self.start)
            #expect(found == [ServerIndex(upstream: 0, server: server)])
            fixture.resolver.tick(now: Self.start)
        }
        #expect(fixture.service.mostAtOnce == Resolver.threadLimit)
        fixture.service.held = []
        var found: [ServerIndex] = []
        while found.count < slow.count { found += try fixture.awaitAnswers(now: Self.start) }
        #expect(Set(found.map(\.server)) == [0, 1, 2])
    }

    @Test("a look-up may outlive its resolver, and nobody waits for it")
    func outlives() throws {
        let service = NameService()
        service.held = ["slow.example"]
        do {
            var fixture = try ResolverFixture(["slow.example:80"], service: service)
            fixture.resolver.tick(now: Self.start)
            try eventually("the look-up to begin") { service.count == 1 }
        }
        service.held = []
        try eventually("the look-up to end") { service.running == 0 }
    }

    @Test("the system's name service knows localhost, and not what cannot be")
    func asksSystem() throws {
        let found = try NameLookup.addresses(of: "localhost", port: 8080).get()
        let isRight = found.allSatisfy { $0.ip.isLoopback && $0.port == 8080 }
        #expect(isRight, "\(found)")
        #expect(Set(found).count == found.count)
        guard case .failure(let failure) = NameLookup.addresses(of: "a..b", port: 1) else {
            Issue.record("found")
            return
        }
        #expect(!failure.description.isEmpty)
    }
}

/// A resolver that asks a name service of the test's own.
private struct ResolverFixture: ~Copyable {
    let service: NameService
    let log = RecordingLog()
    let upstream: Upstream
    var resolver: Resolver
    private var poll: Poll

    init(_ servers: [String], service: NameService = NameService()) throws {
        let poll = try Poll()
        let upstream = Upstream(try UpstreamConfiguration.test(servers))
        let answers = try Mailbox<Resolver.Answer>(registry: poll.registry, token: Token(0))
        self.upstream = upstream
        resolver = Resolver(
            [upstream],
            answers: answers,
            now: ResolverTests.start,
            logger: log.logger,
            lookup: { host, _ in service.look(up: host) }
        )
        self.service = service
        self.poll = poll
    }

    var addresses: [[String]] { upstream.servers.map { $0.addresses.map(\.description) } }

    var failures: [String?] {
        [upstream].serverIndices.map { resolver.failure(of: $0)?.description }
    }

    /// Lets the one look-up that is due come to its end.
    @discardableResult
    mutating func run(
        now: ContinuousClock.Instant,
        answeredAt: ContinuousClock.Instant? = nil
    ) throws -> [ServerIndex] {
        resolver.tick(now: now)
        return try awaitAnswers(now: answeredAt ?? now)
    }

    mutating func awaitAnswers(now: ContinuousClock.Instant) throws -> [ServerIndex] {
        var events = Events(capacity: 4)
        try poll.poll(&events, timeout: patience)
        if events.isEmpty { throw TimedOut(waitingFor: "an answer") }
        return resolver.takeAnswers(now: now)
    }
}

/// Knows the names that a test tells it, and answers when it may.
private final class NameService: Sendable {
    typealias Answer = Result<[SocketAddress], NameLookupFailure>

    private struct State {
        var answers: [String: Answer] = [:]
        var held: Set<String> = []
        var count = 0
        var running = 0
        var mostAtOnce = 0
    }

    private let state = Mutex(State())

    var answers: [String: Answer] {
        get { state.withLock(\.answers) }
        set { state.withLock { $0.answers = newValue } }
    }

    /// The names that are not answered yet.
    var held: Set<String> {
        get { state.withLock(\.held) }
        set { state.withLock { $0.held = newValue } }
    }

    var count: Int { state.withLock(\.count) }
    var running: Int { state.withLock(\.running) }
    var mostAtOnce: Int { state.withLock(\.mostAtOnce) }

    func look(up host: String) -> Answer {
        state.withLock { state in
            state.count += 1
            state.running += 1
            state.mostAtOnce = max(state.mostAtOnce, state.running)
        }
        defer { state.withLock { $0.running -= 1 } }
        try? eventually("the name to be answered") { !held.contains(host) }
        return answers[host] ?? .failure(NameLookupFailure(reason: "no such name"))
    }
}
