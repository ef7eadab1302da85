internal import TestSupport
internal import Testing
internal import VerypollControl

@testable internal import VerypollConfiguration
@testable internal import VerypollServer

/// Ten servers, each of which sends its clients its address.
private struct NamedServers: ~Copyable {
    let program: Program
    let addresses: [String]

    init() throws {
        try requireProgram("python3")
        let script = Repository.path(ofProgram: "hash_clients.py")
        let program = try Program("python3", [script, "serve", "10"])
        let line = try program.waitForStandardOutput(containing: "\n")
        let addresses = line.split(whereSeparator: \.isWhitespace).map(String.init)
        try #require(addresses.count == 10)
        self.addresses = addresses
        self.program = program
    }
}

@Suite("The choice of servers by hash")
struct ChoosingAlikeTests {
    /// Returns a daemon with the servers in this order.
    private func daemon(
        _ servers: [String],
        key: String,
        handler: String = #""upstream": "app""#
    ) throws -> TestDaemon {
        try TestDaemon(
            Self.front(handler),
            more: Self.upstreams(servers, key: key)
        )
    }

    private static func front(_ handler: String = #""upstream": "app""#) -> String {
        """
        "front": {"listen": ["127.0.0.1:0"], "proxyProtocol": {"from": ["127.0.0.1"]},
        "handler": {"type": "proxy", \(handler)}}
        """
    }

    private static func upstreams(_ servers: [String], key: String) -> String {
        VerypollDaemonTests.upstreams(
            upstream(servers, #", "balance": "sourceHash", "hashKey": "\#(key)""#)
        )
    }

    /// Returns the servers that clients of a kind get; see hash_clients.py.
    private func ask(
        _ kind: String,
        of address: String,
        _ count: Int
    ) throws -> [String] {
        let script = Repository.path(ofProgram: "hash_clients.py")
        let result = try Program.run("python3", [script, kind, address, "\(count)"])
        #expect(result.exit == .code(0), "\(result.standardError)")
        let answers = result.standardOutput.split(whereSeparator: \.isWhitespace).map(String.init)
        try #require(answers.count == count, "\(result.standardError)")
        return answers
    }

    /// Returns the order in which servers must be chosen for keys.
    private func orders(of keys: [String], _ servers: [String]) throws -> [[String]] {
        let hashes = servers.map { SourceHash.hash($0) }
        let weights = servers.map { _ in 1 }
        return try keys.map { text in
            let key =
                switch try HashedKey(text) {
                case .address(let address): SourceHash.key(address)
                case .serverName(let name): SourceHash.key(serverName: Array(name.utf8))
                }
            return SourceHash.order(weights: weights, hashes: hashes, key: key).map { servers[$0] }
        }
    }

    /// Returns the servers that the daemon names for the first of the keys, in the order of the
    /// choice.
    ///
    /// There are only a few calls, because the daemon slows down a client that calls constantly.
    private func rankings(
        of keys: [String],
        by daemon: borrowing TestDaemon
    ) throws -> [[String]] {
        var peer = try ControlPeer(path: daemon.controlPath)
        var rankings: [[String]] = []
        for key in keys.prefix(8) {
            let list: RankingList = try peer.result(
                "io.verypoll.Daemon.RankServers",
                #"{"key": "\#(key)"}"#
            )
            let ranking = try #require(list.rankings.first)
            rankings.append(ranking.servers.map(\.address))
        }
        return rankings
    }

    @Test("two daemons with differently ordered files choose the same servers for 10,000 sources")
    func choosesAlike() throws {
        let servers = try NamedServers()
        let names = servers.addresses
        let first = try daemon(names, key: "source")
        let second = try daemon(names.reversed(), key: "source")
        let before = try ask("sources", of: first.address(of: "front"), 10_000)
        let other = try ask("sources", of: second.address(of: "front"), 10_000)
        #expect((before == other) == true)
        #expect(Set(before) == Set(names))

        let keys = (0..<10_000).map { "198.18.\($0 / 256).\($0 % 256)" }
        let orders = try orders(of: keys, names)
        #expect((orders.map { $0[0] } == before) == true)
        let ranked = try rankings(of: keys, by: first)
        let otherRanked = try rankings(of: keys, by: second)
        #expect(ranked == Array(orders.prefix(8)))
        #expect(otherRanked == ranked)

        // A server leaves the second daemon.
        let leaving = names[3]
        try second.rewrite(
            Self.front(),
            more: Self.upstreams(names.reversed().filter { $0 != leaving }, key: "source")
        )
        #expect(try second.reload() == ["/upstreams/app/servers"])
        let after = try ask("sources", of: second.address(of: "front"), 10_000)
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { $0.0 == leaving } == true)
        #expect(after.contains(leaving) == false)
        // The ports are random, and so are the shares: the standard deviation is 0.3 %.
        #expect((850...1_150).contains(moved.count), "\(moved.count) of 10,000 moved")
        // The heirs are the servers that followed in the order.
        let heirs = orders.filter { $0[0] == leaving }.map { $0[1] }
        #expect((moved.map(\.1) == heirs) == true)
    }

    @Test("500 real sources get the servers that verypollctl names")
    func choosesForRealSources() throws {
        let servers = try NamedServers()
        let daemon = try daemon(servers.addresses, key: "source")
        let answers = try ask("binds", of: daemon.address(of: "front"), 500)
        let keys = (0..<500).map { "127.1.\($0 / 256).\($0 % 256)" }
        let orders = try orders(of: keys, servers.addresses)
        #expect((orders.map { $0[0] } == answers) == true)
        let shown = try run(
            "verypollctl",
            ["upstreams", "--hash", keys[7], "--socket", daemon.controlPath]
        )
        let row = shown.split(separator: "\n").first { $0.hasPrefix("app") }
        #expect(row?.contains(" 1  \(answers[7]) ") == true, "\(shown)")

        // If the server of a source is set down, the next one in the order follows.
        let order = try rankings(of: [keys[7]], by: daemon)[0]
        try daemon.order(
            "SetServer",
            #"{"upstream": "app", "server": "\#(order[0])", "state": "down"}"#
        )
        let others = try ask("binds", of: daemon.address(of: "front"), 8)
        #expect(others[7] == order[1])
        let newOrder = try rankings(of: [keys[7]], by: daemon)[0]
        #expect(newOrder == Array(order.dropFirst()) + [order[0]])
    }

    @Test("TLS clients get the server of the name that they ask for, whatever its case")
    func choosesByName() throws {
        let servers = try NamedServers()
        let names = servers.addresses
        let handler = #""inspect": "tls", "upstream": "app""#
        let front = Self.front(handler).replacing(
            #""proxyProtocol": {"from": ["127.0.0.1"]},"#,
            with: ""
        )
        let first = try TestDaemon(front, more: Self.upstreams(names, key: "serverName"))
        let second = try TestDaemon(
            front,
            more: Self.upstreams(names.reversed(), key: "serverName")
        )
        let answers = try ask("names", of: first.address(of: "front"), 400)
        #expect(try ask("names", of: second.address(of: "front"), 400) == answers)
        #expect(Set(answers) == Set(names))
        let keys = (0..<400).map { "\($0).example" }
        let orders = try orders(of: keys, names)
        #expect((orders.map { $0[0] } == answers) == true)
        let ranked = try rankings(of: keys, by: first)
        #expect(ranked == Array(orders.prefix(8)))
        // By address, the upstream does not choose.
        var peer = try ControlPeer(path: first.controlPath)
        let list: RankingList = try peer.result(
            "io.verypoll.Daemon.RankServers",
            #"{"key": "192.0.2.7"}"#
        )
        #expect(list.rankings == [])
    }

    @Test("clients get the server of the address to which they connect or that a header announces")
    func choosesByDestination() throws {
        let servers = try NamedServers()
        let names = servers.addresses
        let hosts = (2..<42).map { "127.0.0.\($0)" }
        let listen = hosts.map { "\"\($0):0\"" }.joined(separator: ", ")
        let direct = """
            "direct": {"listen": [\(listen)], "handler": {"type": "proxy", "upstream": "app"}}
            """
        let daemon = try TestDaemon(
            direct,
            Self.front(),
            more: Self.upstreams(names, key: "destination")
        )
        let ranked = try orders(of: hosts, names).map { $0[0] }
        #expect(Set(ranked).count > 5)
        let addresses = try daemon.status(of: "direct").addresses.map(\.address)
        let answers = try ask("binds", of: addresses.joined(separator: ","), 2 * hosts.count)
        #expect(answers == ranked + ranked)
        let keys = (0..<1_000).map { "198.18.\($0 / 256).\($0 % 256)" }
        let announced = try ask("destinations", of: daemon.address(of: "front"), 1_000)
        let orders = try orders(of: keys, names)
        #expect((orders.map { $0[0] } == announced) == true)
        let shown = try rankings(of: keys, by: daemon)
        #expect(shown == Array(orders.prefix(8)))
    }
}
