import DaemonTestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("The ranking of an upstream's servers")
struct RankingTests {
    private let key: HashedKey
    private let hash: UInt64

    init() throws {
        key = try HashedKey("192.0.2.7")
        hash = SourceHash.key(IPAddress("192.0.2.7"))
    }

    private func upstream(
        _ change: (inout UpstreamConfiguration) -> Void = { _ in }
    ) throws -> Upstream {
        var configuration = try UpstreamConfiguration.test((1...5).map { "10.0.0.\($0):80" })
        configuration.balance = .sourceHash
        configuration.passive.fall = 1
        change(&configuration)
        return Upstream(configuration)
    }

    private func ranking(of upstream: Upstream, now: UInt64 = 0) -> [RankedServer] {
        upstream.ranking(for: key, now: now)
    }

    /// The usable servers of a ranking.
    private func usable(_ upstream: Upstream, now: UInt64 = 0) -> [Int] {
        ranking(of: upstream, now: now).filter(\.isUsable).map(\.index)
    }

    /// The servers that sessions with the key get one after the other, as each of them goes down.
    private func successors(in upstream: Upstream, now: UInt64 = 0) -> [Int] {
        var servers: [Int] = []
        while case .server(let index) = upstream.pick(key: hash, excluding: [], now: now) {
            upstream.servers[index].leave()
            upstream.servers[index].isDown = true
            servers.append(index)
        }
        for index in servers { upstream.servers[index].isDown = false }
        return servers
    }

    @Test("the first server is the one that a session gets, and the others follow in order")
    func agreesWithPicking() throws {
        let plain = try upstream()
        #expect(usable(plain) == successors(in: plain))
        #expect(usable(plain).count == 5)
        let mixed = try upstream { configuration in
            configuration.servers[0].backup = true
            configuration.servers[3].backup = true
            configuration.servers[2].weight = 9
        }
        #expect(usable(mixed) == successors(in: mixed))
        #expect(Set(usable(mixed).suffix(2)) == [0, 3])
        _ = mixed.servers[usable(mixed)[0]].failed(now: 1)
        #expect(usable(mixed, now: 2) == successors(in: mixed, now: 2))
    }

    @Test("servers that cannot be chosen come last, and are not usable")
    func putsUnusableLast() throws {
        let upstream = try upstream()
        let all = usable(upstream)
        upstream.servers[all[0]].isDown = true
        upstream.servers[all[2]].ordered = .drain
        let ranking = ranking(of: upstream)
        #expect(ranking.map(\.index) == [all[1], all[3], all[4], all[0], all[2]])
        #expect(ranking.map(\.isUsable) == [true, true, true, false, false])
    }

    @Test("a full server is passed over, but not for one that is ejected")
    func passesOverFull() throws {
        let upstream = try upstream { configuration in
            for index in 0..<5 { configuration.servers[index].maxSessions = 1 }
        }
        let all = usable(upstream)
        #expect(upstream.servers[all[0]].enter())
        let ranking = ranking(of: upstream)
        #expect(ranking.map(\.index) == Array(all.dropFirst()) + [all[0]])
        #expect(ranking.map(\.isFull) == [false, false, false, false, true])
        for index in all.dropFirst().dropLast() { #expect(upstream.servers[index].enter()) }
        _ = upstream.servers[all[4]].failed(now: 1)
        // All servers that work are full, so sessions wait.
        #expect(usable(upstream, now: 2) == [])
        #expect(upstream.pick(key: hash, excluding: [], now: 2) == .full)
    }

    @Test("the weight of a slow start counts")
    func weighsSlowStart() throws {
        let upstream = try upstream { $0.slowStart = .seconds(10) }
        let first = usable(upstream)[0]
        upstream.servers[first].cameUp(now: 1_000)
        let ranked = ranking(of: upstream, now: 1_000)
        #expect(ranked.first { $0.index == first }?.weight == 0.1)
        #expect(ranked.filter { $0.index != first }.map(\.weight) == [1, 1, 1, 1])
        #expect(ranking(of: upstream, now: 11_000).first?.index == first)
    }
}
