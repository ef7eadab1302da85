internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Reload")
struct ReloadTests {
    @Test("changed limits take effect at once on the same socket, and no session ends")
    func changesLimits() throws {
        let daemon = try TestDaemon(serving("echo", #", "maxSessions": 1, "whenFull": "reject""#))
        let address = try daemon.address()
        let first = try daemon.connect()
        try expectEcho("first", from: first)
        // The reset may arrive before the client sees its connect complete.
        #expect(throws: Errno.connectionReset) { _ = try Client(address: address).receive() }

        try daemon.rewrite(serving("echo", #", "maxSessions": 2, "whenFull": "reject""#))
        #expect(try daemon.reload() == ["/listeners/echo/maxSessions"])
        #expect(try daemon.address() == address)
        #expect(try daemon.status(of: "echo").maxSessions == 2)
        let second = try Client(address: address)
        try expectEcho("second", from: second)
        try expectEcho("still first", from: first)

        try daemon.rewrite(serving("echo", #", "maxSessions": 1, "whenFull": "reject""#))
        #expect(try daemon.reload() == ["/listeners/echo/maxSessions"])
        #expect(throws: Errno.connectionReset) { _ = try Client(address: address).receive() }
        try expectEcho("both live on", from: first)
        try expectEcho("both live on", from: second)
        #expect(try daemon.status().totals.active == 2)
    }

    @Test("a connection that waits for room is accepted when a reload raises the limit")
    func raisesLimit() throws {
        let daemon = try TestDaemon(serving("echo", #", "maxSessions": 1"#))
        let address = try daemon.address()
        let first = try Client(address: address)
        try expectEcho("first", from: first)
        let second = try Client(address: address)
        try second.send("waiting")
        try eventually("the pause") { try daemon.status(of: "echo").state == .paused }
        try daemon.rewrite(serving("echo", #", "maxSessions": 5"#))
        try daemon.reload()
        #expect(try second.receive(exactly: 7) == Array("waiting".utf8))
    }

    @Test("counters survive a reload")
    func keepsCounts() throws {
        let daemon = try TestDaemon(serving("echo"))
        for round in 1...5 {
            let client = try daemon.connect()
            try expectEcho("12345", from: client)
            try daemon.rewrite(serving("echo", #", "maxSessions": \#(100 + round)"#))
            try daemon.reload()
            try expectEcho("12345", from: client)
        }
        try daemon.waitForNoSession()
        try daemon.reload()
        let listener = try daemon.status(of: "echo")
        #expect(listener.accepted == 5)
        #expect(listener.bytesIn == 50)
        #expect(listener.bytesOut == 50)
    }

    @Test("an added listener accepts; a removed one refuses clients and keeps its sessions")
    func addsAndRemoves() throws {
        let port = try reservedPort()
        let daemon = try TestDaemon(serving("echo", listen: "127.0.0.1:\(port)"))
        let old = try Client(port: port)
        try expectEcho("before", from: old)
        try daemon.rewrite(serving("daytime"))
        #expect(try daemon.reload() == ["/listeners/daytime", "/listeners/echo"])
        #expect(try daemon.status().listeners.map(\.name) == ["daytime"])
        #expect(throws: Errno.connectionRefused) { _ = try Client(port: port) }
        let line = try daemon.connect(to: "daytime").receiveToEnd()
        #expect(line.count > 10)
        try expectEcho("the session is still there", from: old)
    }

    @Test("a session of a removed listener ends at the drain deadline")
    func endsRemoved() throws {
        let drain = #""drain": {"deadline": "300ms"},"#
        let daemon = try TestDaemon(serving("echo"), more: drain)
        let old = try daemon.connect()
        try expectEcho("before", from: old)
        try daemon.rewrite(serving("daytime"), more: drain)
        let beginning = ContinuousClock.now
        try daemon.reload()
        #expect(try old.receiveToEnd() == [])
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
    }

    @Test("an address moves from one listener to another with the connections in its backlog")
    func passesAddressOn() throws {
        let port = try reservedPort()
        let listen = "127.0.0.1:\(port)"
        let daemon = try TestDaemon(serving("echo", as: "one", listen: listen))
        let before = try Client(port: port)
        try expectEcho("before", from: before)
        try daemon.rewrite(serving("daytime", as: "other", listen: listen))
        #expect(try daemon.reload() == ["/listeners/one", "/listeners/other"])
        #expect(try Client(port: port).receiveToEnd().count > 10)
        try expectEcho("after", from: before)
    }

    @Test("an invalid configuration is rejected with all positions, and changes nothing")
    func refusesWrong() throws {
        let daemon = try TestDaemon(serving("echo"))
        let client = try daemon.connect()
        try daemon.replace(
            #"{ "listeners": {}, "workers": 0, "control": {"socket": "DIR/control"} }"#
        )
        let problems = try daemon.refusedReload()
        #expect(problems.map(\.pointer) == ["/listeners", "/workers"])
        #expect(problems.map(\.line) == [1, 1])
        #expect(problems.map(\.column) == [16, 31])
        let note = try #require(try daemon.status().note)
        #expect(note.contains("reload refused"))
        #expect(note.contains("verypolld.json:1:16: /listeners"))
        try expectEcho("as ever", from: client)
        try expectEcho("for new ones too", from: try daemon.connect())

        try daemon.rewrite(serving("echo"))
        #expect(try daemon.reload() == [])
        #expect(try daemon.status().note == nil)
    }

    @Test("a change that requires a restart is rejected by a reload and named")
    func refusesWorkers() throws {
        let daemon = try TestDaemon(serving("echo"))
        try daemon.rewrite(serving("echo", #", "maxSessions": 7"#), workers: 3)
        let problems = try daemon.refusedReload()
        #expect(problems.map(\.pointer) == ["/workers"])
        #expect(problems.first?.message.contains("restart") == true)
        #expect(try daemon.status(of: "echo").maxSessions == nil)
        #expect(try daemon.status().workers.count == 2)
    }

    @Test("if one of the new sockets cannot be opened, none is opened")
    func refusesTaken() throws {
        let taken = try Server()
        let free = try reservedPort()
        let daemon = try TestDaemon(serving("echo"))
        try daemon.rewrite(
            serving("echo"),
            serving("daytime", listen: "127.0.0.1:\(free)"),
            serving("drop", listen: "127.0.0.1:\(taken.port)")
        )
        let problems = try daemon.refusedReload()
        #expect(problems.map(\.pointer) == ["/listeners/drop/listen"])
        #expect(problems.first?.line != nil)
        #expect(problems.first?.message.contains("ss -ltnp") == true)
        #expect(throws: Errno.connectionRefused) { _ = try Client(port: free) }
        #expect(try daemon.status().listeners.map(\.name) == ["echo"])
    }

    @Test("SIGHUP reloads as well, and the log has the result")
    func reloadsForHangUp() throws {
        let daemon = try TestDaemon(serving("echo"))
        let client = try daemon.connect()
        try daemon.rewrite(serving("echo"), serving("daytime"))
        try daemon.program.send(SIGHUP)
        try daemon.program.waitForStandardError(containing: "the configuration is reloaded")
        #expect(try daemon.status().listeners.map(\.name) == ["daytime", "echo"])
        try daemon.replace("{")
        try daemon.program.send(SIGHUP)
        try daemon.program.waitForStandardError(containing: "verypolld.json:1:2: ")
        #expect(try daemon.status().state == .running)
        try expectEcho("through all that", from: client)
    }

    @Test("callers that reload at the same time all get the same answer")
    func answersAll() throws {
        let daemon = try TestDaemon(serving("echo"))
        try daemon.rewrite(serving("echo", #", "maxSessions": 9"#))
        var peers: [Held] = []
        for _ in 0..<20 {
            let client = try Client(path: daemon.controlPath)
            try client.send(ControlPeer.message("io.verypoll.Daemon.Reload"))
            peers.append(Held(client))
        }
        for peer in peers {
            let answer = String(decoding: try peer.client.receive(), as: UTF8.self)
            #expect(answer.hasPrefix(#"{"parameters":{"changes":["#))
        }
        #expect(try daemon.status(of: "echo").maxSessions == 9)
    }
}
