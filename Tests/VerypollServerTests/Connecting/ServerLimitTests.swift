import DaemonTestSupport
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Limits of servers")
struct ServerLimitTests {
    /// An upstream of servers with these limits; 0 is none.
    private func configuration(_ limits: Int..., backups: Int = 0) throws -> UpstreamConfiguration {
        var configuration = try UpstreamConfiguration.test(
            limits.indices.map { "10.0.0.\($0):80" }
        )
        for (index, limit) in limits.enumerated() {
            configuration.servers[index].maxSessions = limit == 0 ? nil : limit
            configuration.servers[index].backup = index >= limits.count - backups
        }
        configuration.passive.fall = 1
        return configuration
    }

    private func picks(_ count: Int, of upstream: Upstream, excluding tried: [Int] = [])
        -> [ServerChoice]
    {
        (0..<count).map { _ in upstream.pick(source: nil, excluding: tried, now: 0) }
    }

    @Test("a server at its limit is passed over, and when all are, the session must wait")
    func passesOver() throws {
        let upstream = Upstream(try configuration(1, 2))
        #expect(picks(3, of: upstream).allSatisfy { $0.index != nil })
        #expect(upstream.servers.map { $0.active.load(ordering: .relaxed) } == [1, 2])
        #expect(picks(2, of: upstream) == [.full, .full])
        #expect(upstream.servers[1].leave())
        #expect(picks(2, of: upstream) == [.server(1), .full])
    }

    @Test("the next session that leaves a full server reports that another one waits, once")
    func reportsRoom() throws {
        let upstream = Upstream(try configuration(2, 1))
        #expect(picks(3, of: upstream).allSatisfy { $0.index != nil })
        #expect(!upstream.servers[0].leave())
        #expect(picks(2, of: upstream) == [.server(0), .full])
        #expect(upstream.servers[0].leave())
        #expect(!upstream.servers[0].leave())
        #expect(upstream.servers[1].leave())
    }

    @Test("servers that were tried, or are down, are not waited for")
    func waitsForUsefulOnes() throws {
        let upstream = Upstream(try configuration(1, 1))
        #expect(picks(2, of: upstream) == [.server(0), .server(1)])
        #expect(picks(1, of: upstream, excluding: [0, 1]) == [.none])
        #expect(picks(1, of: upstream, excluding: [0]) == [.full])
        for server in upstream.servers { server.isDown = true }
        #expect(picks(1, of: upstream) == [.none])
    }

    @Test("a backup with room is used while the others are full, but not an ejected server")
    func prefersWaiting() throws {
        let upstream = Upstream(try configuration(1, 0, 1, backups: 1))
        _ = upstream.servers[1].failed(now: 0)
        #expect(picks(3, of: upstream) == [.server(0), .server(2), .full])
        upstream.servers[0].isDown = true
        upstream.servers[2].isDown = true
        #expect(picks(1, of: upstream) == [.server(1)])
    }

    @Test("only a server with room is an alternative")
    func findsAlternatives() throws {
        let upstream = Upstream(try configuration(0, 1))
        #expect(upstream.hasServer(besides: 0, excluding: []))
        #expect(picks(2, of: upstream) == [.server(0), .server(1)])
        #expect(!upstream.hasServer(besides: 0, excluding: []))
    }

    @Test("a reload raises and lowers a limit, and ends no session")
    func reloads() throws {
        let first = Upstream(try configuration(1))
        #expect(picks(2, of: first) == [.server(0), .full])
        let second = Upstream(try configuration(3), former: first)
        #expect(picks(1, of: second) == [.full])
        second.applyLimits()
        #expect(picks(3, of: second) == [.server(0), .server(0), .full])
        let third = Upstream(try configuration(2), former: second)
        third.applyLimits()
        third.servers[0].leave()
        #expect(picks(1, of: third) == [.full])
        third.servers[0].leave()
        #expect(picks(2, of: third) == [.server(0), .full])
        let fourth = Upstream(try configuration(0), former: third)
        fourth.applyLimits()
        #expect(fourth.servers[0].maxSessions == nil)
        #expect(picks(1, of: fourth) == [.server(0)])
    }

    @Test("several threads never exceed a limit, also through the upstreams of two configurations")
    func holdsUnderLoad() throws {
        let former = Upstream(try configuration(2, 3))
        var next = try configuration(2, 3)
        next.balance = .leastSessions
        let upstreams = [former, Upstream(next, former: former)]
        let most = Mutex([0, 0])
        let served = Atomic(0)
        let threads = try (0..<4).map { number in
            try Thread(name: "chooser/\(number)") {
                for _ in 0..<20_000 {
                    let upstream = upstreams[number % 2]
                    guard let index = upstream.pick(source: nil, excluding: [], now: 0).index
                    else { continue }
                    let count = upstream.servers[index].active.load(ordering: .relaxed)
                    most.withLock { $0[index] = max($0[index], count) }
                    served.add(1, ordering: .relaxed)
                    upstream.servers[index].leave()
                }
            }
        }
        for thread in threads { thread.join() }
        let highest = most.withLock { $0 }
        #expect(highest[0] <= 2 && highest[1] <= 3, "\(highest)")
        #expect(served.load(ordering: .relaxed) > 0)
        #expect(former.servers.map { $0.active.load(ordering: .relaxed) } == [0, 0])
    }

    // MARK: Waiting

    /// A connector whose upstream has a place, with the facts at millisecond 1,000.
    private var placed: (Connector, Connector.Facts) {
        var connector = Connector(upstream: 0, now: 1_000)
        let facts = Connector.Facts(now: 1_000, connectTimeout: 800, retryFor: 0, addressCount: 1)
        #expect(connector.handle(.started, facts) == .reservePlace)
        #expect(connector.handle(.placeReserved, facts) == .chooseServer)
        return (connector, facts)
    }

    @Test("a session that finds all servers full keeps its place, and waits in the queue")
    func waits() {
        var (connector, facts) = placed
        #expect(connector.handle(.serversFull, facts) == .enterQueue)
        #expect(connector.handle(.queueEntered, facts) == .hold(until: 1_800))
        #expect(connector.isHeld && connector.isQueued && connector.holdsPlace)
        facts.now = 1_500
        #expect(connector.handle(.retry, facts) == .chooseServer)
        #expect(connector.handle(.serversFull, facts) == .hold(until: 1_800))
        #expect(connector.handle(.retry, facts) == .chooseServer)
        #expect(connector.handle(.serverChosen(1), facts) == .leaveQueue)
        #expect(connector.handle(.queueLeft, facts) == .connect(server: 1, address: 0))
        #expect(connector.handle(.ended, facts) == .leaveServer(1))
        #expect(connector.handle(.serverLeft, facts) == .releasePlace)
        #expect(connector.handle(.placeReleased, facts) == .nothing)
    }

    @Test("a session that waits for a server gives up in time, and returns its place and entry")
    func givesUp() {
        var (connector, facts) = placed
        #expect(connector.handle(.serversFull, facts) == .enterQueue)
        #expect(connector.handle(.queueEntered, facts) == .hold(until: 1_800))
        facts.now = 1_800
        #expect(connector.handle(.timerFired, facts) == .giveUp(.queueTimeout))
        #expect(connector.handle(.ended, facts) == .leaveQueue)
        #expect(connector.handle(.queueLeft, facts) == .releasePlace)
        #expect(connector.handle(.placeReleased, facts) == .nothing)
    }

    @Test("a session that waits for a server leaves the queue if none is left, and pauses")
    func losesServers() {
        var (connector, facts) = placed
        facts.retryFor = 5_000
        #expect(connector.handle(.serversFull, facts) == .enterQueue)
        #expect(connector.handle(.queueEntered, facts) == .hold(until: 6_000))
        #expect(connector.handle(.retry, facts) == .chooseServer)
        #expect(connector.handle(.noServer(awaitsNames: false), facts) == .leaveQueue)
        #expect(connector.handle(.queueLeft, facts) == .chooseServer)
        #expect(connector.handle(.noServer(awaitsNames: false), facts) == .hold(until: 1_050))
        #expect(connector.phase == .pausing)
    }

    @Test("the waits of one search in the queue last no longer together than a single one")
    func limitsWaits() {
        var (connector, facts) = placed
        #expect(connector.handle(.serversFull, facts) == .enterQueue)
        #expect(connector.handle(.queueEntered, facts) == .hold(until: 1_800))
        facts.now = 1_500
        #expect(connector.handle(.retry, facts) == .chooseServer)
        #expect(connector.handle(.serverChosen(0), facts) == .leaveQueue)
        #expect(connector.handle(.queueLeft, facts) == .connect(server: 0, address: 0))
        #expect(connector.handle(.attemptFailed(.connectionRefused), facts) == .closeAttempt)
        #expect(connector.handle(.attemptClosed, facts) == .giveUpServer(0))
        #expect(connector.handle(.serverLeft, facts) == .chooseServer)
        #expect(connector.handle(.serversFull, facts) == .enterQueue)
        #expect(connector.handle(.queueEntered, facts) == .hold(until: 1_800))
        #expect(connector.tried == [0])
    }

    @Test("a session in the queue tries a server again that it could not reach before")
    func retriesWhileQueued() {
        var (connector, facts) = placed
        facts.retryFor = 5_000
        #expect(connector.handle(.serverChosen(0), facts) == .connect(server: 0, address: 0))
        #expect(connector.handle(.attemptBegan(nanosecond: 0), facts) == .wait(until: 1_800))
        #expect(connector.handle(.attemptFailed(.connectionRefused), facts) == .closeAttempt)
        #expect(connector.handle(.attemptClosed, facts) == .giveUpServer(0))
        #expect(connector.handle(.serverLeft, facts) == .chooseServer)
        #expect(connector.handle(.serversFull, facts) == .enterQueue)
        #expect(connector.handle(.queueEntered, facts) == .hold(until: 1_050))
        // Room elsewhere does not put the attempt off.
        facts.now = 1_040
        #expect(connector.handle(.retry, facts) == .chooseServer)
        #expect(connector.handle(.serversFull, facts) == .hold(until: 1_050))
        facts.now = 1_050
        #expect(connector.handle(.timerFired, facts) == .chooseServer)
        #expect(connector.tried == [])
        #expect(connector.handle(.serversFull, facts) == .hold(until: 6_000))
    }

    @Test("a session that gets a place stays in the queue until a server has room too")
    func keepsEntry() {
        var connector = Connector(upstream: 0, now: 1_000)
        let facts = Connector.Facts(now: 1_000, connectTimeout: 800, retryFor: 0, addressCount: 1)
        #expect(connector.handle(.started, facts) == .reservePlace)
        #expect(connector.handle(.upstreamFull, facts) == .enterQueue)
        #expect(connector.handle(.queueEntered, facts) == .hold(until: 1_800))
        #expect(connector.handle(.retry, facts) == .reservePlace)
        #expect(connector.handle(.placeReserved, facts) == .chooseServer)
        #expect(connector.handle(.serversFull, facts) == .hold(until: 1_800))
        #expect(connector.isQueued && connector.holdsPlace)
    }
}
