import DaemonTestSupport
import Synchronization
import TestSupport
import Testing
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("UpstreamMonitor")
struct UpstreamMonitorTests {
    private let first = ServerIndex(upstream: 0, server: 0)

    @Test("a server that fails and later passes its checks is reported to the workers")
    func tellsOfChecks() throws {
        // Bound throughout the test, so that no other test gets the port.
        let listener = try Server(backlog: nil)
        defer { withExtendedLifetime(listener) {} }
        let address = SocketAddress.loopback(port: listener.port)
        var fixture = try WatchFixture(["\(address)"]) { $0.check = .test }
        #expect(try fixture.awaitNews() == [.serversDown([first]), .serversChanged])
        let down = fixture.watch.status()[0].servers[0]
        #expect(down.state == .down)
        #expect(down.stateReason == "Connection refused")

        try listener.listen()
        #expect(
            try fixture.awaitNews() == [.serversUp([first]), .serversChanged]
        )
        let up = fixture.watch.status()[0].servers[0]
        #expect(up.state == .up)
        #expect(up.stateReason == nil)
        #expect(up.stateTimestampUSec >= down.stateTimestampUSec)
    }

    @Test("a server that was down is up for its sessions once a reload has removed its checks")
    func tellsOfRemovedChecks() throws {
        var fixture = try WatchFixture(["10.0.0.1:80"]) {
            $0.check = .test
            $0.check?.interval = .seconds(3600)
        }
        let former = fixture.watch.upstreams[0]
        former.servers[0].isDown = true
        let next = Upstream(try .test(["10.0.0.1:80"]), former: former)
        fixture.watch.adopt([former, next], slots: [1])
        #expect(
            fixture.watch.takeNews().messages == [
                .serversUp([first, ServerIndex(upstream: 1, server: 0)])
            ]
        )
    }

    @Test("a check that a reload adds to a server in service is not an event, and a failure is")
    func ignoresAddedChecks() throws {
        var fixture = try WatchFixture(["10.0.0.1:80"])
        fixture.watch.isMonitored = true
        var checked = try UpstreamConfiguration.test(["10.0.0.1:80"])
        checked.check = .test
        let former = fixture.watch.upstreams[0]
        fixture.watch.adopt([former, Upstream(checked, former: former)], slots: [1])
        #expect(fixture.watch.status()[0].servers[0].state == .unchecked)
        #expect(fixture.watch.takeChanges().isEmpty)
        former.servers[0].isDown = true
        #expect(fixture.watch.status()[0].servers[0].state == .down)
        #expect(fixture.watch.takeChanges().map(\.server.state) == [.down])
    }

    @Test("a server or upstream that a reload has removed is known while it has sessions")
    func knowsRemoved() throws {
        var old = try UpstreamConfiguration.test(["10.0.0.1:80", "10.0.0.2:80"])
        old.name = "old"
        var fixture = try WatchFixture([old])
        let former = fixture.watch.upstreams[0]
        former.servers[1].active.add(1, ordering: .relaxed)
        var new = try UpstreamConfiguration.test(["10.0.0.3:80"])
        new.name = "new"
        fixture.watch.adopt([former, Upstream(new)], slots: [1])
        let known = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"].map { server in
            [nil, "old", "new"].map { fixture.watch.hasServer(server, of: $0) }
        }
        #expect(known == [[false, false, false], [true, true, false], [true, false, true]])
        let before = ["old", "new"].map { fixture.watch.hasUpstream($0) }
        #expect(before == [false, true])
        _ = former.enterQueue()
        let after = ["old", "new"].map { fixture.watch.hasUpstream($0) }
        #expect(after == [true, true])
    }

    @Test("a checked server is unchecked until the first result, and others are never checked")
    func tellsOfUnchecked() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        let address = try listener.localAddress()
        let quiet = try UpstreamConfiguration.test(["10.0.0.1:80"])
        var checked = try UpstreamConfiguration.test(["\(address)"])
        checked.name = "checked"
        checked.check = .test
        checked.check?.interval = .seconds(3600)
        var fixture = try WatchFixture([quiet, checked])
        fixture.watch.isMonitored = true
        let before = fixture.watch.status().map { $0.servers[0] }
        #expect(before.map(\.state) == [.up, .unchecked])
        #expect(before.map(\.check) == [nil, "connect"])
        #expect(before.map(\.lastCheck) == [nil, nil])
        #expect(fixture.watch.notes == [])
        try fixture.awaitConnection(to: listener)
        try fixture.awaitState(.up, of: "checked")
        let after = fixture.watch.status()[1].servers[0]
        let check = try #require(after.lastCheck)
        #expect(check.succeeded && check.reason == nil)
        #expect(check.timestampUSec >= before[1].stateTimestampUSec)
        #expect(fixture.watch.takeChanges().isEmpty)
    }

    @Test("an ejection leaves live sessions alone, and its end is reported to the workers")
    func tellsOfEjections() throws {
        var fixture = try WatchFixture(["10.0.0.1:80"]) {
            $0.passive.fall = 1
            $0.passive.duration = .milliseconds(30)
        }
        let now = MonotonicClock.milliseconds()
        let change = fixture.watch.upstreams[0].servers[0].failed(now: now)
        #expect(change == .ejected(until: now + 30))
        fixture.watch.note(try #require(change), of: fixture.watch.upstreams[0].servers[0])
        #expect(fixture.watch.takeNews().messages == [])
        let line =
            "warning app/10.0.0.1:80 is ejected for 30ms: sessions could not connect to it"
        #expect(fixture.log.takeLines() == [line])

        #expect(try fixture.awaitNews() == [.serversChanged])
        #expect(fixture.log.takeLines() == ["info app/10.0.0.1:80 is tried again"])
        #expect(fixture.watch.deadline == nil)
        let isOut = fixture.watch.upstreams[0].servers[0].isEjected(
            now: MonotonicClock.milliseconds()
        )
        #expect(!isOut)
    }

    @Test("a server that accepts again is reported at once")
    func tellsOfReadmission() throws {
        var fixture = try WatchFixture(["10.0.0.1:80"]) { $0.passive.fall = 1 }
        let server = fixture.watch.upstreams[0].servers[0]
        let ejected = try #require(server.failed(now: MonotonicClock.milliseconds()))
        fixture.watch.note(ejected, of: server)
        let out = fixture.watch.status()[0].servers[0]
        #expect(out.state == .ejected)
        #expect(out.stateReason == "sessions could not connect to it")
        #expect(out.failures == 1)
        _ = fixture.watch.takeNews()
        _ = fixture.log.takeLines()

        let readmitted = try #require(server.connected(now: MonotonicClock.milliseconds()))
        fixture.watch.note(readmitted, of: server)
        #expect(fixture.watch.takeNews().messages == [.serversChanged])
        #expect(fixture.watch.takeNews().messages == [])
        #expect(fixture.log.takeLines() == ["notice app/10.0.0.1:80 accepts connections again"])
        #expect(fixture.watch.deadline == nil)
        let state = fixture.watch.status()[0].servers[0].state
        #expect(state == .up)
    }

    @Test("each change of state is reported with its own time, in rapid succession too")
    func tellsOfQuickChanges() throws {
        var fixture = try WatchFixture(["10.0.0.1:80"]) {
            $0.passive.fall = 1
            $0.passive.duration = .seconds(3600)
        }
        let server = fixture.watch.upstreams[0].servers[0]
        let now = MonotonicClock.milliseconds()
        var changes: [ServerChange] = []
        for _ in 0..<2 {
            changes.append(try #require(server.failed(now: now)))
            changes.append(try #require(server.connected(now: now)))
        }
        #expect(fixture.watch.takeChanges().isEmpty)
        fixture.watch.isMonitored = true
        // All of it happens before the supervisor processes the first change.
        for (index, change) in changes.enumerated() {
            fixture.watch.note(change, of: server, at: 100 + index)
        }
        let told = fixture.watch.takeChanges()
        #expect(told.map(\.server.state) == [.ejected, .up, .ejected, .up])
        #expect(told.map(\.server.stateTimestampUSec) == [100, 101, 102, 103])
        #expect(told.map(\.upstream) == ["app", "app", "app", "app"])
        #expect(fixture.watch.takeChanges().isEmpty)
    }

    @Test("a change of a server whose index is gone, or is that of another server, has no effect")
    func ignoresReplacedServers() throws {
        var fixture = try WatchFixture(["10.0.0.1:80", "10.0.0.2:80"]) { $0.passive.fall = 1 }
        let former = fixture.watch.upstreams[0].servers
        let now = MonotonicClock.milliseconds()
        let changes = try former.map { try #require($0.failed(now: now)) }
        // Another server has index 0, and no server has index 1.
        var configuration = try UpstreamConfiguration.test(["10.0.0.9:80"])
        configuration.passive.fall = 1
        fixture.watch.adopt([Upstream(configuration)], slots: [0])
        for (server, change) in zip(former, changes) { fixture.watch.note(change, of: server) }
        #expect(fixture.log.takeLines() == [])
        #expect(fixture.watch.status()[0].servers.map(\.state) == [.up])
        #expect(fixture.watch.deadline == nil)
    }

    @Test("an ejection that ended before the next one has its end reported")
    func tellsOfEndsBetween() throws {
        var fixture = try WatchFixture(["10.0.0.1:80"]) {
            $0.passive.fall = 1
            $0.passive.duration = .seconds(1)
        }
        fixture.watch.isMonitored = true
        let server = fixture.watch.upstreams[0].servers[0]
        let now = MonotonicClock.milliseconds()
        let begin = ContinuousClock.now
        let change = try #require(server.failed(now: now))
        fixture.watch.note(change, of: server, now: begin)
        let again = try #require(server.failed(now: now + 2_000))
        fixture.watch.note(again, of: server, now: begin + .seconds(2))
        let states = fixture.watch.takeChanges().map(\.server.state)
        #expect(states == [.ejected, .up, .ejected])
    }

    @Test("a name that resolves is reported, and its server is checked at once")
    func tellsOfNames() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        let address = try listener.localAddress()
        var fixture = try WatchFixture(["app.example:80"]) {
            $0.check = .test
            $0.check?.interval = .seconds(3600)
        } lookup: { _, _ in
            .success([address])
        }
        let before = fixture.watch.status()[0].servers[0]
        #expect(before.state == .unresolved)
        #expect(before.stateReason == "looking up its name")
        #expect(before.resolvedAddresses == [])
        #expect(try fixture.awaitNews() == [.serversChanged])
        let after = fixture.watch.status()[0].servers[0]
        #expect(after.state.isAvailable)
        #expect(after.resolvedAddresses == ["\(address)"])
        // Otherwise the next check would be due in an hour.
        try fixture.awaitConnection(to: listener)
    }

    @Test(
        "a failed lookup is reported with its reason, so that no session waits for it"
    )
    func tellsOfMissingNames() throws {
        var fixture = try WatchFixture(
            ["app.example:80"],
            lookup: { _, _ in .failure(NameLookupFailure(reason: "no such name")) }
        )
        #expect(try fixture.awaitNews() == [.serversChanged])
        let status = fixture.watch.status()[0].servers[0]
        #expect(status.state == .unresolved)
        #expect(status.stateReason == "no such name")
    }

    @Test("the status has the upstreams by name, their servers in order, and their counts")
    func describes() throws {
        var zoo = try UpstreamConfiguration.test(["10.0.0.1:80", "unix:@app"])
        zoo.name = "zoo"
        zoo.balance = .leastSessions
        zoo.maxSessions = 7
        zoo.servers[1].backup = true
        zoo.servers[1].weight = 3
        let app = try UpstreamConfiguration.test(["10.0.0.3:80"])
        var fixture = try WatchFixture([zoo, app])
        let server = fixture.watch.upstreams[0].servers[1]
        _ = server.connected(now: 0)
        server.active.add(2, ordering: .relaxed)
        server.leave()
        server.traffic[0].add(ServerTally(bytesIn: 10, bytesOut: 20))

        let status = fixture.watch.status()
        #expect(status.map(\.name) == ["app", "zoo"])
        #expect(status[1].balance == "leastSessions")
        #expect(status[1].maxSessions == 7)
        #expect(status[0].maxSessions == nil)
        #expect(status[1].servers.map(\.address) == ["10.0.0.1:80", "unix:@app"])
        let described = status[1].servers[1]
        #expect(described.backup)
        #expect(described.weight == 3)
        #expect(described.active == 1)
        #expect(described.sessions == 1)
        #expect(described.bytesIn == 10)
        #expect(described.bytesOut == 20)
    }
}

/// An upstream monitor in the test's own poll loop.
private struct WatchFixture: ~Copyable {
    let log = RecordingLog()
    var watch: UpstreamMonitor
    private var poll: Poll

    init(
        _ servers: [String],
        configure: (inout UpstreamConfiguration) -> Void = { _ in },
        lookup: @escaping Resolver.Lookup = NameLookup.addresses
    ) throws {
        var configuration = try UpstreamConfiguration.test(servers)
        configure(&configuration)
        try self.init([configuration], lookup: lookup)
    }

    init(
        _ configurations: [UpstreamConfiguration],
        lookup: @escaping Resolver.Lookup = NameLookup.addresses
    ) throws {
        let poll = try Poll()
        let registry = try poll.registry.clone()
        let watch = try UpstreamMonitor(
            configurations.map { Upstream($0) },
            registry: registry,
            firstToken: 7,
            logger: log.logger,
            lookup: lookup
        )
        self.watch = watch
        self.poll = poll
    }

    /// Runs until there are messages for the workers.
    mutating func awaitNews() throws -> [WorkerMessage] {
        let deadline = ContinuousClock.now + patience
        while deadline > .now {
            try work()
            let news = watch.takeNews().messages
            if !news.isEmpty { return news }
        }
        throw TimedOut(waitingFor: "messages for the workers")
    }

    /// Runs until the first server of an upstream has a state.
    mutating func awaitState(_ state: Status.Server.State, of upstream: String) throws {
        let deadline = ContinuousClock.now + patience
        while deadline > .now {
            try work()
            let upstreams = watch.status()
            if upstreams.first(where: { $0.name == upstream })?.servers[0].state == state { return }
        }
        throw TimedOut(waitingFor: "a server to be \(state)")
    }

    /// Runs until a connection has arrived.
    mutating func awaitConnection(to listener: borrowing TCPListener) throws {
        let deadline = ContinuousClock.now + patience
        while deadline > .now {
            try work()
            if try listener.accept() != nil { return }
        }
        throw TimedOut(waitingFor: "a connection")
    }

    /// Waits briefly for one event or deadline.
    private mutating func work() throws {
        var events = Events(capacity: 16)
        let limit = ContinuousClock.now + .milliseconds(20)
        try poll.poll(&events, until: min(watch.deadline ?? limit, limit))
        for event in events { watch.handle(event) }
        watch.tick()
    }
}

extension UpstreamConfiguration.HealthCheck {
    /// Checks every few milliseconds; one result is enough for a change.
    fileprivate static let test = Self(
        interval: .milliseconds(10),
        timeout: .seconds(30),
        rise: 1,
        fall: 1,
        send: "",
        expect: ""
    )
}
