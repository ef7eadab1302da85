internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("proxy: servers that go down while sessions need them")
struct ServerDownTests {
    /// Expects the bytes that the client has sent to arrive at the server.
    private func expectHello(_ client: borrowing Client, at server: borrowing Client) throws {
        #expect(try server.receive(exactly: 5) == Array("hello".utf8))
        try server.send("served")
        #expect(try client.receive(exactly: 6) == Array("served".utf8))
    }

    @Test("a full backlog is waited for while the only other server is down")
    func waitsForBacklog() throws {
        let lab = try ProxyLab(
            .unix,
            upstream: #", "connectTimeout": "1min""#,
            backlog: 0,
            hasTwo: true
        )
        try lab.set("down", second: true)
        let filler = try lab.connectToServer()
        let client = try lab.connect()
        try client.send("hello")
        try lab.daemon.waitForTotals("the first attempt") { $0.accepted == 1 }
        _ = try lab.server.accept()
        try expectHello(client, at: try lab.server.accept())
        withExtendedLifetime(filler) {}
    }

    @Test(
        "a session leaves a server that goes down before it has connected, and goes to another one",
        arguments: ["keep", "drain", "close"]
    )
    func leavesServer(policy: String) throws {
        let lab = try ProxyLab(
            upstream: #", "connectTimeout": "10min", "whenDown": "\#(policy)""#,
            backlog: 0,
            hasTwo: true
        )
        let filler = try lab.connectToServer()
        let client = try lab.connect()
        try client.send("hello")
        try lab.waitForChoice()
        try lab.set("down")
        try expectHello(client, at: try lab.second.accept())
        // The session did not wait for the end of the attempt, which says nothing of the server.
        let servers = try #require(try lab.daemon.status().upstreams.first).servers
        #expect(servers.map(\.failures) == [0, 0])
        #expect(servers.map(\.active) == [0, 1])
        withExtendedLifetime(filler) {}
    }

    @Test("a session leaves a server that a reload removes before it has connected")
    func leavesRemovedServer() throws {
        let silent = try Server(backlog: 0)
        let filler = try Client(port: silent.port)
        let live = try LineServer("live")
        defer { try? live.end() }
        let keys = #", "connectTimeout": "10min""#
        let addresses = ["127.0.0.1:\(silent.port)", live.address]
        let daemon = try TestDaemon(proxying(), more: upstreams(upstream(addresses, keys)))
        let client = try daemon.connect(to: "front")
        try client.send("who\n")
        try eventually("a session on the first") {
            try daemon.sessions().map(\.server) == [addresses[0]]
        }
        try daemon.rewrite(proxying(), more: upstreams(upstream([live.address], keys)))
        try daemon.reload()
        #expect(try client.receiveLine() == "live who")
        withExtendedLifetime(filler) {}
    }

    @Test(
        "a session that connects to a server that is down, as there is no other, gets its whenDown",
        arguments: ["drain", "close"]
    )
    func appliesWhenDownLate(policy: String) throws {
        let silent = try Server(backlog: 0)
        let filler = try Client(port: silent.port)
        let address = "127.0.0.1:\(silent.port)"
        let keys = #", "connectTimeout": "10min", "whenDown": "\#(policy)""#
        let daemon = try TestDaemon(
            proxying(),
            more: #""drain": {"deadline": "200ms"},"# + upstreams(upstream([address], keys))
        )
        let client = try daemon.connect(to: "front")
        try eventually("a session on the server") {
            try daemon.sessions().map(\.server) == [address]
        }
        let down = #"{"upstream": "app", "server": "\#(address)", "state": "down"}"#
        try daemon.order("SetServer", down)
        _ = try silent.accept()
        // The attempt went on, and has succeeded.
        let server = try silent.accept()
        #expect(throws: Errno.connectionReset) { _ = try client.receiveToEnd() }
        #expect(throws: Errno.connectionReset) { _ = try server.receiveToEnd() }
        try daemon.waitForNoSession()
        withExtendedLifetime(filler) {}
    }

    @Test("a session outlives the deadline of whenDown drain if its server is up again before")
    func outlivesFlap() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let members = upstream([one.address, two.address], #", "whenDown": "drain""#)
        let daemon = try TestDaemon(
            proxying(),
            more: #""drain": {"deadline": "3s"},"# + upstreams(members)
        )
        let first = try daemon.connect(to: "front")
        let second = try daemon.connect(to: "front")
        #expect(try first.ask() == "one")
        #expect(try second.ask() == "two")
        let set = { (server: String, state: String) in
            #"{"upstream": "app", "server": "\#(server)", "state": "\#(state)"}"#
        }
        try daemon.order("SetServer", set(one.address, "down"))
        try daemon.order("SetServer", set(one.address, "up"))
        try daemon.order("SetServer", set(two.address, "down"))
        // The deadline of the second is later than that of the first was.
        #expect(throws: Errno.connectionReset) { _ = try second.receiveToEnd() }
        #expect(try first.ask() == "one")
    }

    @Test("a session that waits for room in a server's backlog leaves a server that goes down")
    func leavesBusyServer() throws {
        let lab = try ProxyLab(
            .unix,
            upstream: #", "connectTimeout": "1min""#,
            backlog: 0,
            otherBacklog: 0,
            hasTwo: true
        )
        let fillers = (Held(try lab.connectToServer()), Held(try lab.connectToSecond()))
        let client = try lab.connect()
        try client.send("hello")
        try lab.waitForChoice(ofSecond: true)
        try lab.set("down", second: true)
        _ = try lab.server.accept()
        try expectHello(client, at: try lab.server.accept())
        withExtendedLifetime(fillers) {}
    }

    @Test("an ejection leaves the live sessions of a server alone, whatever whenDown says")
    func keepsSessionsOfEjected() throws {
        let server = try Server(host: 1)
        let keys = #", "whenDown": "close", "passive": {"fall": 1, "for": "1h"}"#
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream(["127.0.0.1:\(server.port)"], keys))
        )
        let client = try daemon.connect(to: "front")
        let joined = Joined(client: client, server: try server.accept())
        try joined.greet()
        try server.stopListening()
        let address = try daemon.address(of: "front")
        #expect(throws: Errno.connectionReset) { _ = try Client(address: address).receive() }
        try eventually("the ejection") {
            try daemon.status().upstreams.first?.servers.first?.state == .ejected
        }
        // The workers have read their mail by the time that they answer.
        #expect(try daemon.sessions().count == 1)
        try joined.greet()
    }
}
