internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Reload of upstreams")
struct ReloadedUpstreamTests {
    private func ask(_ daemon: borrowing TestDaemon) throws -> String {
        try daemon.connect(to: "front").ask()
    }

    @Test("new sessions use the new configuration's servers, and live ones stay")
    func movesNewSessions() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream([one.address]))
        )
        let old = try daemon.connect(to: "front")
        #expect(try old.ask() == "one")
        try daemon.rewrite(proxying(), more: upstreams(upstream([two.address])))
        #expect(try daemon.reload() == ["/upstreams/app/servers"])
        for _ in 0..<5 { #expect(try ask(daemon) == "two") }
        #expect(try old.ask() == "one")
        #expect(try daemon.status().upstreams.first?.servers.map(\.address) == [two.address])
    }

    @Test("a server that stays in the configuration keeps its counts and sessions")
    func keepsServer() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream([one.address], #", "balance": "leastSessions""#))
        )
        let old = try daemon.connect(to: "front")
        #expect(try old.ask() == "one")
        try daemon.rewrite(
            proxying(),
            more: upstreams(upstream([one.address, two.address], #", "balance": "leastSessions""#))
        )
        try daemon.reload()
        // The first server already has a session, so the other one is less busy.
        #expect(try ask(daemon) == "two")
        let servers = try #require(try daemon.status().upstreams.first).servers
        #expect(servers.map(\.active).first == 1)
        #expect(servers.map(\.sessions).first == 1)
    }

    @Test(
        "sessions of a removed server are closed according to whenDown",
        arguments: ["close", "drain"]
    )
    func leavesServer(policy: String) throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let keys = #", "whenDown": "\#(policy)""#
        let drain = #""drain": {"deadline": "200ms"},"#
        let daemon = try TestDaemon(
            proxying(),
            more: drain + upstreams(upstream([one.address], keys))
        )
        let old = try daemon.connect(to: "front")
        #expect(try old.ask() == "one")
        try daemon.rewrite(proxying(), more: drain + upstreams(upstream([two.address], keys)))
        try daemon.reload()
        #expect(throws: Errno.connectionReset) { _ = try old.receiveToEnd() }
        #expect(try ask(daemon) == "two")
    }

    @Test("a server that failed its checks stays down in the next configuration")
    func keepsHealth() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let check = #", "check": {"interval": "20ms", "timeout": "500ms", "rise": 1, "fall": 1}"#
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream([one.address, two.address], check))
        )
        try one.kill()
        try eventually("the check") {
            try daemon.status().upstreams.first?.servers.first?.state == .down
        }
        let more = check + #", "maxSessions": 100"#
        try daemon.rewrite(
            proxying(),
            more: upstreams(upstream([one.address, two.address], more))
        )
        #expect(try daemon.reload() == ["/upstreams/app/maxSessions"])
        #expect(try daemon.status().upstreams.first?.servers.first?.state == .down)
        for _ in 0..<5 { #expect(try ask(daemon) == "two") }
        try one.restart()
        try eventually("the server to be up again") {
            try daemon.status().upstreams.first?.servers.first?.state == .up
        }
    }

    @Test("a client held for a server continues under the configuration that it began with")
    func keepsHolding() throws {
        let server = try LineServer("late")
        defer { try? server.end() }
        try server.kill()
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream([server.address], #", "retry": {"for": "30s"}"#))
        )
        let held = try daemon.connect(to: "front")
        try held.send("?\n")
        try eventually("the session") { try daemon.status().totals.active == 1 }
        try daemon.rewrite(proxying(), more: upstreams(upstream([server.address])))
        try daemon.reload()
        try server.restart()
        #expect(try held.receiveLine() == "late ?")
    }
}
