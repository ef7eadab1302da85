internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Drain, Resume and SetServer")
struct OperationTests {
    @Test("a drained listener refuses clients, closes sessions at the deadline, and can be resumed")
    func drainsListener() throws {
        let port = try reservedPort()
        let daemon = try TestDaemon(
            serving("echo", listen: "127.0.0.1:\(port)"),
            serving("echo", as: "other")
        )
        let client = try Client(port: port)
        let other = try daemon.connect(to: "other")
        try expectEcho("before", from: client)
        try daemon.order("Drain", #"{"listener": "echo", "deadline": "500ms"}"#)
        #expect(throws: Errno.connectionRefused) { _ = try Client(port: port) }
        let status = try daemon.status()
        #expect(status.state == .running)
        let drained = try #require(status.listeners.first { $0.name == "echo" })
        #expect([.draining, .drained].contains(drained.state))
        #expect((drained.drainDeadlineTimestampUSec != nil) == (drained.state == .draining))
        #expect(try client.receiveToEnd() == [])
        try eventually("the drain") { try daemon.status(of: "echo").state == .drained }
        try expectEcho("not this one", from: other)

        try daemon.order("Resume", #"{"listener": "echo"}"#)
        #expect(try daemon.status(of: "echo").state == .accepting)
        try expectEcho("again", from: try Client(port: port))
    }

    @Test("idle sessions are closed first, and busy ones last")
    func endsIdleFirst() throws {
        let daemon = try TestDaemon(serving("echo"))
        let idle = try daemon.connect()
        let busy = try daemon.connect()
        try expectEcho("hello", from: idle)
        try expectEcho("hello", from: busy)
        try daemon.order("Drain", #"{"listener": "echo", "deadline": "12s"}"#)
        let end = ContinuousClock.now + .seconds(12)
        while try daemon.status().totals.active == 2 { try expectEcho("busy", from: busy) }
        #expect(try idle.receiveToEnd() == [])
        try expectEcho("goes on", from: busy)
        #expect(ContinuousClock.now < end)
        try daemon.order("Resume")
        try expectEcho("and may stay now", from: busy)
    }

    @Test("the whole daemon can be drained and resumed")
    func drainsAll() throws {
        let daemon = try TestDaemon(serving("echo"), serving("daytime"))
        let client = try daemon.connect()
        try expectEcho("before", from: client)
        try daemon.order("Drain", #"{"deadline": "0s"}"#)
        #expect(try client.receiveToEnd() == [])
        try eventually("the drain") {
            try daemon.status().listeners.allSatisfy { $0.state == .drained }
        }
        #expect(try daemon.status().state == .draining)
        try daemon.order("Resume")
        #expect(try daemon.status().state == .running)
        try expectEcho("after", from: try daemon.connect())
    }

    @Test("connections to a drained systemd socket wait, and are served after resuming")
    func keepsPassedSocket() throws {
        let server = try Server()
        let daemon = try TestDaemon(
            serving("echo", listen: "systemd:web"),
            sockets: [PassedSocket(name: "web", descriptor: server.descriptor)]
        )
        try daemon.order("Drain", #"{"deadline": "1s"}"#)
        let client = try Client(port: server.port)
        try client.send("patient")
        #expect(try daemon.status().totals.accepted == 0)
        try daemon.order("Resume")
        #expect(try client.receive(exactly: 7) == Array("patient".utf8))
    }

    @Test("resuming fails with a reason if the port was taken meanwhile, and can be retried")
    func refusesResume() throws {
        let port = try reservedPort()
        let daemon = try TestDaemon(serving("echo", listen: "127.0.0.1:\(port)"))
        try daemon.order("Drain", #"{"deadline": "0s"}"#)
        do {
            let thief = try Server(host: 1, port: port)
            #expect(throws: ControlPeer.Refusal(error: "io.verypoll.Daemon.ReloadFailed")) {
                try daemon.order("Resume")
            }
            _ = thief.port
        }
        // The descriptor may stay open for a moment in a child of another test.
        try eventually("the port") {
            do {
                try daemon.order("Resume")
                return true
            } catch is ControlPeer.Refusal {
                return false
            }
        }
        try expectEcho("back", from: try Client(port: port))
    }

    @Test("a drained listener stays drained across a reload")
    func staysDrained() throws {
        let daemon = try TestDaemon(serving("echo"))
        try daemon.order("Drain", #"{"deadline": "0s"}"#)
        try daemon.rewrite(serving("echo", #", "maxSessions": 5"#))
        try daemon.reload()
        #expect(try daemon.status(of: "echo").state == .drained)
        try daemon.order("Resume")
        try expectEcho("with the new limits", from: try daemon.connect())
        #expect(try daemon.status(of: "echo").maxSessions == 5)
    }

    @Test("a server set to drain gets no new sessions, and its sessions end by the deadline")
    func drainsServer() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let daemon = try TestDaemon(
            proxying(),
            more: #""drain": {"deadline": "400ms"},"#
                + upstreams(upstream([one.address, two.address]))
        )
        let first = try daemon.connect(to: "front")
        #expect(try first.ask() == "one")
        let set = { (state: String) in
            #"{"upstream": "app", "server": "\#(one.address)", "state": "\#(state)"}"#
        }
        try daemon.order("SetServer", set("drain"))
        #expect(try daemon.status().upstreams.first?.servers.first?.mode == .drain)
        for _ in 0..<4 { #expect(try daemon.connect(to: "front").ask() == "two") }
        #expect(try first.receiveToEnd() == [])
        try daemon.order("SetServer", set("up"))
        let names = Set(try (0..<4).map { _ in try daemon.connect(to: "front").ask() })
        #expect(names == ["one", "two"])
    }

    @Test("a server set down closes sessions according to whenDown, and stays down across a reload")
    func setsDown() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let members = upstream([one.address, two.address], #", "whenDown": "close""#)
        let daemon = try TestDaemon(proxying(), more: upstreams(members))
        let first = try daemon.connect(to: "front")
        #expect(try first.ask() == "one")
        let down = #"{"upstream": "app", "server": "\#(one.address)", "state": "down"}"#
        try daemon.order("SetServer", down)
        #expect(throws: Errno.connectionReset) { _ = try first.receiveToEnd() }
        try daemon.rewrite(proxying(#", "maxSessions": 50"#), more: upstreams(members))
        try daemon.reload()
        for _ in 0..<4 { #expect(try daemon.connect(to: "front").ask() == "two") }
    }

    @Test("a weight set by an operator stays until the configuration changes it")
    func setsWeight() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let servers = upstream([one.address, two.address])
        let daemon = try TestDaemon(proxying(), more: upstreams(servers))
        let set = #"{"upstream": "app", "server": "\#(one.address)", "weight": 3}"#
        try daemon.order("SetServer", set)
        var counts: [String: Int] = [:]
        for _ in 0..<8 { counts[try daemon.connect(to: "front").ask(), default: 0] += 1 }
        #expect(counts == ["one": 6, "two": 2])
        try daemon.rewrite(
            proxying(),
            more: upstreams(upstream([one.address, two.address], #", "maxSessions": 99"#))
        )
        try daemon.reload()
        #expect(try daemon.status().upstreams.first?.servers.map(\.weight) == [3, 1])
    }

    @Test(
        "an unknown listener, upstream or server is named",
        arguments: [
            ("Drain", #"{"listener": "no"}"#, "ListenerNotFound"),
            ("Resume", #"{"listener": "no"}"#, "ListenerNotFound"),
            ("SetServer", #"{"upstream": "no", "server": "x", "state": "up"}"#, "UpstreamNotFound"),
            ("SetServer", #"{"upstream": "app", "server": "x", "state": "up"}"#, "ServerNotFound"),
        ]
    )
    func names(method: String, parameters: String, error: String) throws {
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream(["127.0.0.1:1"]))
        )
        #expect(throws: ControlPeer.Refusal(error: "io.verypoll.Daemon.\(error)")) {
            try daemon.order(method, parameters)
        }
    }
}
