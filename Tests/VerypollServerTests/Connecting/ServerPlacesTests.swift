import DaemonTestSupport
import Synchronization
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Places of discovered servers")
struct ServerPlacesTests {
    /// Returns the configuration that a discovery makes from these records.
    private func configuration(
        _ records: ServiceRecord...,
        balance: UpstreamConfiguration.Balance = .roundRobin
    ) throws -> UpstreamConfiguration {
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.success(ServiceAnswer(records: records, timeToLive: .seconds(1))))
        var upstream = fixture.upstream
        upstream.balance = balance
        return upstream
    }

    /// Puts other records into effect, as the supervisor does.
    private func replace(_ upstream: Upstream, by records: ServiceRecord...) throws -> Upstream {
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.success(ServiceAnswer(records: records, timeToLive: .seconds(1))))
        let next = Upstream(fixture.upstream, former: upstream, keepsSlot: true)
        for index in next.removed { next.servers[index].isRemoved = true }
        next.applyLimits()
        return next
    }

    private func pick(_ upstream: Upstream) -> Int? {
        upstream.pick(source: nil, excluding: [], now: 0).index
    }

    private func names(_ upstream: Upstream) -> [String] { upstream.listedServers.map(\.name) }

    @Test("servers keep their index, and new ones get an index that no session has")
    func keepsIndices() throws {
        let first = Upstream(try configuration(.test(1), .test(2), .test(3)))
        #expect(pick(first) == 0)
        #expect(pick(first) == 1)
        let second = try replace(first, by: .test(3), .test(4))
        #expect(second.servers[..<3].elementsEqual(first.servers, by: ===))
        #expect(names(second) == ["10.0.0.3:80", "10.0.0.4:80"])
        #expect(second.listed == [2, 3])
        #expect(second.removed == [0, 1])
        first.servers[0].leave()
        // Sessions of server 1 are still open, so its index stays its own.
        let third = try replace(second, by: .test(3), .test(5))
        #expect(third.servers[0].name == "10.0.0.5:80")
        #expect(third.servers[1] === first.servers[1])
        #expect(third.servers[2] === first.servers[2])
    }

    @Test("no session chooses a server that is no longer named, even if it is the last")
    func excludesRemoved() throws {
        let first = Upstream(try configuration(.test(1)))
        #expect(pick(first) == 0)
        let second = try replace(first)
        #expect(pick(second) == nil)
        #expect(!second.hasServer(besides: -1, excluding: []))
        let third = try replace(second, by: .test(2))
        #expect(third.servers[pick(third) ?? 0].name == "10.0.0.2:80")
    }

    @Test("a server that is named again while it has sessions is the same server")
    func revives() throws {
        let first = Upstream(try configuration(.test(1), .test(2)))
        #expect(pick(first) == 0)
        let server = first.servers[0]
        server.weight.store(5, ordering: .relaxed)
        let second = try replace(first, by: .test(2))
        #expect(server.isRemoved && server.isOutOfService)
        let third = try replace(second, by: .test(1), .test(2))
        #expect(third.servers[0] === server)
        #expect(!server.isRemoved)
        #expect(server.weight.load(ordering: .relaxed) == 5)
    }

    @Test("a weight set by hand stays until the record's weight changes")
    func keepsWeight() throws {
        let first = Upstream(try configuration(.test(1, weight: 10), .test(2, weight: 10)))
        first.servers[0].weight.store(3, ordering: .relaxed)
        let second = try replace(first, by: .test(1, weight: 10), .test(3, weight: 10))
        #expect(second.servers[0].weight.load(ordering: .relaxed) == 3)
        let third = try replace(second, by: .test(1, weight: 20))
        #expect(third.servers[0].weight.load(ordering: .relaxed) == 20)
    }

    @Test("sessions that wait in the queue are those of the successor")
    func sharesQueue() throws {
        let first = Upstream(try configuration(.test(1)))
        #expect(first.enterQueue())
        let second = try replace(first, by: .test(2))
        #expect(second.waiting == 1)
        second.leaveQueue()
        #expect(first.waiting == 0)
    }

    @Test("nothing grows while the servers change again and again")
    func staysSmall() throws {
        var upstream = Upstream(try configuration(.test(0)))
        let kept = upstream.servers[0]
        #expect(kept.enter())
        for round in UInt32(1)...1000 {
            upstream = try replace(upstream, by: .test(round * 2), .test(round * 2 + 1))
            #expect(upstream.servers[0] === kept)
        }
        #expect(upstream.servers.count <= 6)
        kept.leave()
        for round in UInt32(2001)...2003 { upstream = try replace(upstream, by: .test(round)) }
        #expect(upstream.servers.count <= 3)
        #expect(!upstream.servers.contains { $0 === kept })
    }

    @Test("the next tier is used only while no server of a lower priority is available")
    func usesTiers() throws {
        let records = [(1, 10), (2, 20), (3, 30)].map {
            ServiceRecord.test($0, priority: UInt16($1))
        }
        let upstream = Upstream(try configuration(records[0], records[1], records[2]))
        #expect(pick(upstream) == 0)
        upstream.servers[0].isDown = true
        #expect(pick(upstream) == 1)
        upstream.servers[1].ordered = .down
        #expect(pick(upstream) == 2)
        upstream.servers[0].isDown = false
        #expect(pick(upstream) == 0)
    }

    @Test(
        "20,000 sessions are distributed by weight",
        arguments: [
            [10, 20, 70], [0, 0, 0], [65535, 65535, 1], [1, 0, 99], [65535, 32768, 16384], [0, 1],
        ],
        [UpstreamConfiguration.Balance.roundRobin, .random, .leastSessions]
    )
    func distributes(weights: [UInt16], balance: UpstreamConfiguration.Balance) throws {
        let records = weights.enumerated().map { ServiceRecord.test(UInt32($0) + 1, weight: $1) }
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.success(ServiceAnswer(records: records, timeToLive: .seconds(1))))
        var configuration = fixture.upstream
        configuration.balance = balance
        let upstream = Upstream(configuration)
        let sessions = 20_000
        var counts = [Int](repeating: 0, count: weights.count)
        // The sessions stay open, so that all ways to choose distribute them by weight.
        for _ in 0..<sessions { if let index = pick(upstream) { counts[index] += 1 } }
        let shares = weights.map { $0 == 0 ? 0.01 : Double($0) }
        let sum = shares.reduce(0, +)
        for (count, share) in zip(counts, shares) {
            let expected = Double(sessions) * share / sum
            let tolerance = max(expected * 0.05, 5)
            #expect(abs(Double(count) - expected) <= tolerance, "\(counts) for \(weights)")
        }
    }

    @Test("the turns go on when the servers change at each choice")
    func continuesTurns() throws {
        var upstream = Upstream(try configuration(.test(1, weight: 3), .test(2)))
        var counts: [String: Int] = [:]
        for round in UInt32(0)..<4000 {
            let index = try #require(pick(upstream))
            counts[upstream.servers[index].name, default: 0] += 1
            upstream.servers[index].leave()
            // A backup comes and goes.
            let other = ServiceRecord.test(10 + round % 2, priority: 5)
            upstream = try replace(upstream, by: .test(1, weight: 3), .test(2), other)
        }
        #expect(counts == ["10.0.0.1:80": 3000, "10.0.0.2:80": 1000])
    }
}
