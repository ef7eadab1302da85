internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// Needs root, because name servers have port 53 and the daemon gets a resolv.conf of its own.
@Suite("Discovery of servers by a daemon", .enabled(if: geteuid() == 0))
struct DiscoveryProcessTests {
    private static func app(_ keys: String = "", entry: String = "") -> String {
        upstreams(
            #"""
            "app": {"servers": [{"srv": "_app._tcp.example"\#(entry)}],
              "resolve": {"atMost": "1s"}, "retry": {"for": "1min"}\#(keys)}
            """#
        )
    }

    private func daemon(
        _ names: borrowing NameServer,
        _ keys: String = "",
        more: String = "",
        manager: ServiceManager? = nil
    ) throws -> TestDaemon {
        try TestDaemon(
            proxying(),
            more: more + Self.app(keys),
            launcher: names.launcher,
            manager: manager
        )
    }

    private func upstream(_ daemon: borrowing TestDaemon) throws -> Status.Upstream {
        try daemon.status().upstreams[0]
    }

    /// Waits until the upstream has these servers.
    private func awaitServers(_ servers: [LineServer], in daemon: borrowing TestDaemon) throws {
        let expected = Set(servers.map(\.address))
        try eventually("the servers \(expected)") {
            Set(try upstream(daemon).servers.map(\.address)) == expected
        }
    }

    private func servers(_ count: Int) throws -> [LineServer] {
        try (0..<count).map { try LineServer("s\($0)") }
    }

    private func weights(_ daemon: borrowing TestDaemon) throws -> [String: Int] {
        try upstream(daemon).servers.reduce(into: [:]) { $0[$1.address] = $1.weight }
    }

    /// Asks once over a new session.
    private func ask(_ daemon: borrowing TestDaemon) throws -> String {
        try daemon.connect(to: "front").ask()
    }

    @Test("sessions follow the weights and priorities of a zone that changes")
    func follows() throws {
        let all = try servers(3)
        defer { for server in all { try? server.end() } }
        var names = try NameServer()
        let first = NameServer.Record(server: all[0], weight: 10)
        let second = NameServer.Record(server: all[1], weight: 30)
        let backup = NameServer.Record(server: all[2], priority: 5)
        try names.serve([first, second, backup])
        let daemon = try daemon(names)
        try awaitServers(all, in: daemon)
        let status = try upstream(daemon)
        #expect(status.servers.map(\.weight) == [10, 30, 1])
        #expect(status.servers.map(\.priority) == [0, 0, 5])
        #expect(status.servers.map(\.target) == (0..<3).map { "host\($0).example" })
        let service = try #require(status.services?.first)
        #expect(service.name == "_app._tcp.example" && service.servers == 3)
        #expect(service.answerTimestampUSec != nil && service.failure == nil)
        var counts: [String: Int] = [:]
        for _ in 0..<400 { counts[try ask(daemon), default: 0] += 1 }
        #expect(counts == ["s0": 100, "s1": 300])

        try names.serve([backup])
        try awaitServers([all[2]], in: daemon)
        #expect(try ask(daemon) == "s2")
        try names.serve([first, backup])
        try awaitServers([all[0], all[2]], in: daemon)
        #expect(try ask(daemon) == "s0")
        let log = try daemon.program.standardError
        #expect(log.contains("app: _app._tcp.example has 3 servers: \(all[0].address)"))
        #expect(log.contains("gone: "))
    }

    @Test("a client that came before the servers were known gets one")
    func holds() throws {
        let all = try servers(1)
        defer { for server in all { try? server.end() } }
        var names = try NameServer()
        let daemon = try daemon(names)
        let early = try (0..<4).map { _ in Held(try daemon.connect(to: "front")) }
        for held in early { try held.client.send("who\n") }
        try eventually("a failure") { try upstream(daemon).services?.first?.failure != nil }
        try names.serve([.init(server: all[0])])
        for held in early { #expect(try held.client.receiveLine() == "s0 who") }
        #expect(try daemon.status().upstreams[0].active == 4)
    }

    @Test("the last good answer is kept while the name server is gone, and its age is shown")
    func keepsAnswer() throws {
        let all = try servers(1)
        defer { for server in all { try? server.end() } }
        var names = try NameServer()
        try names.serve([.init(server: all[0])])
        let daemon = try daemon(names)
        try awaitServers(all, in: daemon)
        names.stop()
        try eventually("a failure") { try upstream(daemon).services?.first?.failure != nil }
        #expect(try ask(daemon) == "s0")
        let service = try #require(try upstream(daemon).services?.first)
        #expect(service.answerTimestampUSec != nil && service.failures > 0)
        #expect(try daemon.program.standardError.contains(" ago is kept"))
        // A server that is still named keeps its counters.
        try names.serve([.init(server: all[0])])
        try eventually("an answer") { try upstream(daemon).services?.first?.failure == nil }
        #expect(try upstream(daemon).servers[0].sessions == 1)
    }

    @Test("whenDown applies to the sessions of a server that leaves", arguments: ["keep", "close"])
    func appliesWhenDown(whenDown: String) throws {
        let all = try servers(2)
        defer { for server in all { try? server.end() } }
        var names = try NameServer()
        try names.serve([.init(server: all[0])])
        let daemon = try daemon(names, #", "whenDown": "\#(whenDown)""#)
        try awaitServers([all[0]], in: daemon)
        let client = try daemon.connect(to: "front")
        #expect(try client.ask() == "s0")
        try names.serve([.init(server: all[1])])
        try awaitServers([all[1]], in: daemon)
        #expect(try ask(daemon) == "s1")
        if whenDown == "keep" {
            #expect(try client.ask() == "s0")
            #expect(try daemon.sessions().contains { $0.server == all[0].address })
        } else {
            #expect(throws: Errno.self) { try client.ask() }
        }
    }

    @Test("with whenDown drain, sessions end after drain.deadline unless the server returns")
    func drains() throws {
        let all = try servers(2)
        defer { for server in all { try? server.end() } }
        var names = try NameServer()
        try names.serve([.init(server: all[0])])
        let daemon = try daemon(
            names,
            #", "whenDown": "drain""#,
            more: #""drain": {"deadline": "3s"}, "#
        )
        try awaitServers([all[0]], in: daemon)
        let client = try daemon.connect(to: "front")
        #expect(try client.ask() == "s0")
        try names.serve([.init(server: all[1])])
        try awaitServers([all[1]], in: daemon)
        #expect(try client.ask() == "s0")
        #expect(throws: Errno.self) {
            _ = try client.receiveToEnd()
            throw Errno.connectionReset  // An end of file counts as well.
        }
        try daemon.waitForNoSession()
    }

    @Test("a service that is not offered has no servers")
    func isNotOffered() throws {
        var names = try NameServer()
        try names.refuse()
        let daemon = try daemon(names)
        try eventually("the answer") {
            try upstream(daemon).services?.first?.isNotOffered == true
        }
        #expect(try upstream(daemon).servers == [])
        #expect(try daemon.program.standardError.contains("is not offered"))
    }

    @Test("a weight that an operator has set stays when other servers change, and over a reload")
    func keepsWeight() throws {
        let all = try servers(3)
        defer { for server in all { try? server.end() } }
        var names = try NameServer()
        try names.serve([.init(server: all[0], weight: 5), .init(server: all[1])])
        let daemon = try daemon(names)
        try awaitServers(Array(all[..<2]), in: daemon)
        let setting = #"{"upstream": "app", "server": "\#(all[0].address)", "weight": 77}"#
        try daemon.order("SetServer", setting)
        try names.serve([.init(server: all[0], weight: 5), .init(server: all[2])])
        try awaitServers([all[0], all[2]], in: daemon)
        #expect(try weights(daemon) == [all[0].address: 77, all[2].address: 1])
        let before = try daemon.status().configurationHash
        try daemon.rewrite(
            proxying(),
            more: Self.app(#", "balance": "leastSessions""#)
        )
        #expect(try daemon.reload() == ["/upstreams/app/balance"])
        #expect(try weights(daemon) == [all[0].address: 77, all[2].address: 1])
        #expect(try daemon.status().configurationHash != before)
        #expect(try daemon.reload() == [])
    }

    @Test("a restart keeps the sessions of discovered servers, even without a name server")
    func restarts() throws {
        let all = try servers(2)
        defer { for server in all { try? server.end() } }
        let manager = try ServiceManager()
        var names = try NameServer()
        try names.serve([.init(server: all[0])])
        var daemon = try daemon(
            names,
            #", "whenDown": "close""#,
            more: #""restart": {"keepSessions": true}, "#,
            manager: manager
        )
        try awaitServers([all[0]], in: daemon)
        let client = try daemon.connect(to: "front")
        #expect(try client.ask() == "s0")
        names.stop()
        try daemon.restart()
        #expect(try client.ask() == "s0")
        try eventually("a failure") { try upstream(daemon).services?.first?.failure != nil }
        #expect(try upstream(daemon).servers == [])
        #expect(try client.ask() == "s0")
        try names.serve([.init(server: all[0])])
        try awaitServers([all[0]], in: daemon)
        #expect(try client.ask() == "s0")
        #expect(try upstream(daemon).servers[0].active == 1)
        // Once an answer does not name the server any more, whenDown applies.
        try names.serve([.init(server: all[1])])
        try awaitServers([all[1]], in: daemon)
        #expect(throws: Errno.self) { try client.ask() }
        try manager.end()
    }
}
