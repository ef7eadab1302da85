import DaemonTestSupport
import Synchronization
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

extension ServerChoice {
    /// The index of the chosen server, if there is one.
    var index: Int? { if case .server(let index) = self { index } else { nil } }
}

@Suite("Upstream")
struct UpstreamTests {
    private static let fall = 3

    /// An upstream of servers `10.0.0.0:80`, `10.0.0.1:80` and so on, which fail thrice and are
    /// then out for 10 seconds.
    private func upstream(
        servers count: Int = 2,
        backups: Int = 0,
        balance: UpstreamConfiguration.Balance = .roundRobin,
        names: [String] = []
    ) throws -> Upstream {
        var configuration = try UpstreamConfiguration.test(
            (0..<count + backups).map { "10.0.0.\($0):80" } + names
        )
        for index in count..<count + backups { configuration.servers[index].backup = true }
        configuration.balance = balance
        configuration.passive.fall = Self.fall
        configuration.passive.duration = .seconds(10)
        return Upstream(configuration)
    }

    private func eject(_ server: UpstreamServer, now: UInt64 = 0) {
        for _ in 0..<Self.fall { _ = server.failed(now: now) }
    }

    private func picks(
        _ count: Int,
        of upstream: Upstream,
        excluding tried: [Int] = [],
        now: UInt64 = 0
    ) -> [Int?] {
        (0..<count).map { _ in upstream.pick(source: nil, excluding: tried, now: now).index }
    }

    @Test("a server counts the sessions that were sent to it until they leave")
    func countsSessions() throws {
        let upstream = try upstream()
        #expect(picks(5, of: upstream) == [0, 1, 0, 1, 0])
        #expect(upstream.servers.map { $0.active.load(ordering: .relaxed) } == [3, 2])
        upstream.servers[0].leave()
        #expect(upstream.servers.map { $0.active.load(ordering: .relaxed) } == [2, 2])
    }

    @Test("servers that a session has tried are not chosen again")
    func excludes() throws {
        let upstream = try upstream(servers: 3)
        #expect(picks(4, of: upstream, excluding: [0, 2]) == [1, 1, 1, 1])
        #expect(picks(1, of: upstream, excluding: [2, 0, 1]) == [nil])
    }

    @Test("a server that is down is not chosen, be it the last")
    func avoidsDown() throws {
        let upstream = try upstream()
        upstream.servers[0].isDown = true
        #expect(picks(2, of: upstream) == [1, 1])
        #expect(!upstream.servers[0].isAvailable(now: 0))
        upstream.servers[1].isDown = true
        #expect(picks(1, of: upstream) == [nil])
        upstream.servers[0].isDown = false
        #expect(picks(2, of: upstream) == [0, 0])
    }

    @Test("backups serve only while no other server is available, and before ejected ones")
    func usesBackups() throws {
        let upstream = try upstream(servers: 2, backups: 2)
        #expect(picks(4, of: upstream) == [0, 1, 0, 1])
        eject(upstream.servers[0])
        #expect(picks(2, of: upstream) == [1, 1])
        upstream.servers[1].isDown = true
        #expect(Set(picks(2, of: upstream)) == [2, 3])
        upstream.servers[1].isDown = false
        #expect(picks(2, of: upstream) == [1, 1])
    }

    @Test("a session that has tried all others is sent to a backup")
    func retriesOnBackup() throws {
        let upstream = try upstream(servers: 1, backups: 1)
        #expect(picks(1, of: upstream, excluding: [0]) == [1])
    }

    @Test("ejected servers are used all the same where there is no other, but not those down")
    func usesEjected() throws {
        let upstream = try upstream(servers: 2, backups: 1)
        for server in upstream.servers { eject(server) }
        #expect(Set(picks(4, of: upstream)) == [0, 1])
        #expect(picks(1, of: upstream, excluding: [0, 1]) == [2])
        upstream.servers[0].isDown = true
        #expect(picks(2, of: upstream) == [1, 1])
        upstream.servers[1].isDown = true
        #expect(picks(2, of: upstream) == [2, 2])
    }

    @Test("a server that a reload has removed is chosen last")
    func avoidsRemoved() throws {
        let upstream = try upstream(servers: 2, backups: 1)
        upstream.servers[0].isRemoved = true
        #expect(picks(2, of: upstream) == [1, 1])
        eject(upstream.servers[1])
        eject(upstream.servers[2])
        #expect(picks(2, of: upstream) == [1, 1])
        for server in upstream.servers[1...] { server.isDown = true }
        #expect(picks(2, of: upstream) == [0, 0])
    }

    @Test("only servers that can be chosen and were not tried are an alternative")
    func findsAlternatives() throws {
        let upstream = try upstream(servers: 2, backups: 1, names: ["app.example:80"])
        #expect(upstream.hasServer(besides: 0, excluding: []))
        #expect(!upstream.hasServer(besides: 0, excluding: [1, 2]))
        eject(upstream.servers[1])
        #expect(upstream.hasServer(besides: 0, excluding: [2]))
        upstream.servers[1].isDown = true
        #expect(!upstream.hasServer(besides: 0, excluding: [2]))
        upstream.servers[2].ordered = .drain
        #expect(!upstream.hasServer(besides: 0, excluding: []))
        upstream.servers[2].ordered = .up
        #expect(upstream.hasServer(besides: 0, excluding: []))
        upstream.servers[2].isRemoved = true
        #expect(!upstream.hasServer(besides: 0, excluding: []))
    }

    @Test("a server without an address is not chosen, and awaited until the first answer")
    func awaitsNames() throws {
        let upstream = try upstream(servers: 0, names: ["app.example:80", "other.example:80"])
        #expect(picks(1, of: upstream) == [nil])
        #expect(upstream.awaitsNames)
        let address = SocketAddress.loopback(port: 80)
        upstream.servers[1].resolve(to: [.tcp(address)])
        #expect(picks(2, of: upstream) == [1, 1])
        #expect(upstream.servers[1].addresses == [.tcp(address)])
        // The answer that there is no such name is an answer too.
        upstream.servers[0].resolve(to: [])
        #expect(!upstream.awaitsNames)
        #expect(!upstream.servers[0].isAvailable(now: 0))
    }

    @Test("the last good addresses are kept where a name is not found any more")
    func keepsAddresses() throws {
        let server = try upstream(servers: 0, names: ["app.example:80"]).servers[0]
        server.resolve(to: [.tcp(.loopback(port: 1))])
        server.resolve(to: [])
        #expect(server.addresses == [.tcp(.loopback(port: 1))])
    }

    @Test("literal addresses need no name service")
    func knowsLiterals() throws {
        let configuration = try UpstreamConfiguration.test(["[::1]:80", "unix:@app"])
        let upstream = Upstream(configuration)
        #expect(!upstream.awaitsNames)
        #expect(upstream.servers.map(\.name) == ["[::1]:80", "unix:@app"])
        let addresses = upstream.servers.map { $0.addresses.map(\.description) }
        #expect(addresses == [["[::1]:80"], ["unix:@app"]])
    }

    @Test(
        "the limits of the configuration are in milliseconds, and no limit is a limiter that lets all in"
    )
    func takesConfiguration() throws {
        var configuration = try UpstreamConfiguration.test(["10.0.0.1:80"])
        configuration.connectTimeout = .milliseconds(1500)
        configuration.retry.duration = .seconds(30)
        let unlimited = Upstream(configuration)
        #expect(unlimited.connectTimeout == 1500)
        #expect(unlimited.retryFor == 30_000)
        #expect(unlimited.limiter.limit == .max)
        configuration.maxSessions = 2
        #expect(Upstream(configuration).limiter.limit == 2)
    }

    @Test("several threads that choose at once share the turns exactly")
    func sharesTurns() throws {
        var configuration = try UpstreamConfiguration.test(
            ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]
        )
        for (index, weight) in [3, 2, 1].enumerated() {
            configuration.servers[index].weight = weight
        }
        let upstream = Upstream(configuration)
        let threads = try (0..<4).map { number in
            try Thread(name: "chooser/\(number)") {
                for _ in 0..<1500 { _ = upstream.pick(source: nil, excluding: [], now: 0) }
            }
        }
        for thread in threads { thread.join() }
        let counts = upstream.servers.map { $0.active.load(ordering: .relaxed) }
        #expect(counts == [3000, 2000, 1000])
    }

    @Test("no server has more than its share of the sessions that several threads open at once")
    func sharesSessions() throws {
        let upstream = try upstream(servers: 4, balance: .leastSessions)
        let threads = try (0..<4).map { number in
            try Thread(name: "chooser/\(number)") {
                for _ in 0..<1000 { _ = upstream.pick(source: nil, excluding: [], now: 0) }
            }
        }
        for thread in threads { thread.join() }
        let counts = upstream.servers.map { $0.active.load(ordering: .relaxed) }
        #expect(counts == [1000, 1000, 1000, 1000])
    }
}
