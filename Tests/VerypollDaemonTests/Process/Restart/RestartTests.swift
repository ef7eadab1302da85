internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Restarts that keep sessions")
struct RestartTests {
    private static let keeping = #""restart": {"keepSessions": true},"#

    private let manager: ServiceManager

    init() throws {
        manager = try ServiceManager()
    }

    @Test("listening sockets survive a killed daemon, and connections in their backlog are served")
    func survivesKill() throws {
        var daemon = try TestDaemon(
            serving("echo", listen: "127.0.0.1:0 unix:DIR/echo"),
            serving("discard", listen: "127.0.0.1:0", #", "socket": {"reusePort": true}"#),
            manager: manager
        )
        try eventually("the sockets to be stored") { manager.names.count == 4 }
        let addresses = try daemon.status(of: "echo").addresses
        let discard = try daemon.address(of: "discard")
        try daemon.program.send(SIGKILL)
        #expect(try daemon.program.waitForExit() == .signal(SIGKILL))
        let clients = try addresses.map { Held(try Client(address: $0.address)) }
        for held in clients { try held.client.send("wait") }

        try daemon.start()
        try daemon.program.waitForStandardError(containing: "is ready")
        for held in clients { #expect(try held.client.receive(exactly: 4) == Array("wait".utf8)) }
        #expect(try daemon.status(of: "echo").addresses == addresses)
        #expect(try daemon.address(of: "discard") == discard)
        #expect(manager.names.count == 4)
        let log = try daemon.program.standardError
        #expect(log.contains("restored 4 sockets and 0 sessions"))
        try manager.end()
    }

    @Test("bytes received during a restart count, even if a timeout passed meanwhile")
    func readsBeforeTimingOut() throws {
        var daemon = try TestDaemon(
            serving("echo", #", "timeouts": {"idle": "2s"}"#),
            more: Self.keeping,
            manager: manager
        )
        let client = try Client(address: try daemon.address())
        try expectEcho("before", from: client)
        let answeredAt = ContinuousClock.now
        try daemon.stop(forRestart: true)
        #expect(try daemon.program.waitForExit() == .code(0))
        try client.send("meanwhile")
        try eventually("the timeout to pass") { .now - answeredAt > .seconds(2) }

        try daemon.start()
        #expect(try client.receive(exactly: 9) == Array("meanwhile".utf8))
        try manager.end()
    }

    @Test("a plain stop removes the sockets from the store, so that no client waits in vain")
    func endsPlainly() throws {
        let daemon = try TestDaemon(
            // A port that no other process gets when the daemon closes it.
            serving("echo", listen: "127.0.0.1:\(try reservedPort()) unix:DIR/echo"),
            more: Self.keeping,
            manager: manager
        )
        let addresses = try daemon.status(of: "echo").addresses.map(\.address)
        let client = try daemon.connect()
        try expectEcho("live", from: client)
        try eventually("the sockets to be stored") { manager.names.count == 2 }
        try daemon.stop(forRestart: false)
        try eventually("the store to be empty") { manager.names.isEmpty }
        for address in addresses {
            try eventually("refusal") { try Client.isRefused(at: address) }
        }
        try client.finishSending()
        #expect(try client.receiveToEnd() == [])
        #expect(try daemon.program.waitForExit() == .code(0))
        try manager.end()
    }

    @Test("without keepSessions, a restart drains while new connections wait for the next daemon")
    func keepsListeners() throws {
        var daemon = try TestDaemon(
            serving("echo", listen: "unix:DIR/echo"),
            manager: manager
        )
        let address = try daemon.address()
        let old = try daemon.connect()
        try expectEcho("old", from: old)
        try daemon.stop(forRestart: true)
        try daemon.program.waitForStandardError(containing: "stopping for SIGTERM")
        let new = try Client(address: address)
        try new.send("new")
        try expectEcho("still", from: old)
        try old.finishSending()
        #expect(try old.receiveToEnd() == [])
        #expect(try daemon.program.waitForExit() == .code(0))
        try daemon.start()
        #expect(try new.receive(exactly: 3) == Array("new".utf8))
        try manager.end()
    }

    @Test("a socket that the configuration no longer uses is closed and removed from the store")
    func dropsUnnamed() throws {
        var daemon = try TestDaemon(
            serving("echo"),
            serving("discard", listen: "127.0.0.1:\(try reservedPort())"),
            manager: manager
        )
        let gone = try daemon.address(of: "discard")
        try eventually("the sockets to be stored") { manager.names.count == 2 }
        try daemon.rewrite(serving("echo"))
        try daemon.restart()
        // The daemon does not wait until the manager has read the message.
        try eventually("one socket to be left in the store") { manager.names.count == 1 }
        try eventually("refusal") { try Client.isRefused(at: gone) }
        try manager.end()
    }

    @Test("sessions of all handlers continue with their IDs and counts")
    func keepsSessions() throws {
        var daemon = try TestDaemon(
            serving("echo"),
            serving("discard"),
            serving("chargen"),
            serving("daytime"),
            more: Self.keeping,
            manager: manager
        )
        let clients = try ["echo", "discard", "chargen", "daytime"].map {
            Held(try daemon.connect(to: $0))
        }
        try expectEcho("before", from: clients[0].client)
        try clients[1].client.send("void")
        let text = try clients[2].client.receive(exactly: 1000)
        let line = try clients[3].client.receiveToEnd()
        #expect(line.count > 10)
        try daemon.waitForTotals("bytes") { $0.bytesIn == 10 }
        // Of two sessions that began within a millisecond, either may be first.
        let before = try daemon.sessions().sorted { $0.id < $1.id }

        try daemon.restart()
        let after = try daemon.sessions().sorted { $0.id < $1.id }
        #expect(after.map(\.id) == before.map(\.id))
        #expect(after.map(\.bytesIn) == before.map(\.bytesIn))
        #expect(after.map(\.state) == before.map(\.state))
        #expect(after.map(\.openedTimestampUSec).indices == before.indices)
        try expectEcho("after", from: clients[0].client)
        let rest = try clients[2].client.receive(exactly: 1_000_000)
        #expect((text + rest == Self.characters(1_001_000)) == true)
        let next = try daemon.connect()
        try expectEcho("new", from: next)
        let known = Set(before.map(\.id))
        #expect(try daemon.sessions().filter { !known.contains($0.id) }.count == 1)
        try eventually("the sessions to be removed from the store") {
            !manager.names.contains { $0.contains("sessions") }
        }
        try manager.end()
    }

    /// Returns the first characters that chargen sends.
    private static func characters(_ count: Int) -> [UInt8] {
        var text: [UInt8] = []
        var line = 0
        while text.count < count {
            text += (0..<72).map { UInt8(32 + (line + $0) % 95) } + [13, 10]
            line += 1
        }
        return Array(text.prefix(count))
    }

    @Test("a session goes to the worker that its ID selects, however many workers there are now")
    func movesToOtherWorkers() throws {
        var daemon = try TestDaemon(
            serving("echo"),
            more: Self.keeping,
            workers: 3,
            manager: manager
        )
        let clients = try (0..<20).map { _ in Held(try daemon.connect()) }
        for held in clients { try expectEcho("one", from: held.client) }
        try daemon.rewrite(serving("echo"), more: Self.keeping, workers: 2)
        try daemon.restart()
        for held in clients { try expectEcho("two", from: held.client) }
        for session in try daemon.sessions() {
            #expect(session.worker == (session.id - 1) % 2)
            var peer = try ControlPeer(path: daemon.controlPath)
            _ = try peer.call("io.verypoll.Daemon.KillSession", #"{"id": \#(session.id)}"#)
        }
        try daemon.waitForNoSession()
        try manager.end()
    }

    @Test("sessions that do not fit the new configuration are reset, and the log says why")
    func refuses() throws {
        var daemon = try TestDaemon(
            serving("echo"),
            serving("echo", as: "gone"),
            serving("echo", as: "other"),
            more: Self.keeping,
            manager: manager
        )
        let kept = try daemon.connect()
        let gone = try daemon.connect(to: "gone")
        let other = try daemon.connect(to: "other")
        try expectEcho("kept", from: kept)
        try expectEcho("gone", from: gone)
        try expectEcho("other", from: other)
        try daemon.rewrite(serving("echo"), serving("discard", as: "other"), more: Self.keeping)
        try daemon.restart()
        #expect(throws: Errno.connectionReset) { try gone.receiveToEnd() }
        #expect(throws: Errno.connectionReset) { try other.receiveToEnd() }
        try expectEcho("still", from: kept)
        let sentence = """
            reasons: their listeners are not configured any more (1), their listeners have other \
            handlers now (1)
            """
        try daemon.program.waitForStandardError(containing: sentence)
        let log = try daemon.program.standardError
        #expect(log.contains(" and 1 session; 2 sessions lost: "), "\(log)")
        try manager.end()
    }

    @Test("if no process restores a session, missing bytes do not look like a normal end of file")
    func breaksAbandoned() throws {
        let server = try Server()
        let app = upstream(["127.0.0.1:\(server.port)"])
        let daemon = try TestDaemon(
            proxying(),
            more: Self.keeping + upstreams(app),
            manager: manager
        )
        let idle = try daemon.connect(to: "front")
        let idleServer = try server.accept()
        let full = try daemon.connect(to: "front")
        let fullServer = Held(try server.accept())
        // More than fits into all buffers on the way; nothing reads it.
        let work = ConcurrentWork {
            try fullServer.client.send(Array(repeating: 7, count: 32 << 20))
        }
        try eventually("bytes to be parked") {
            try daemon.sessions().contains { $0.buffered > 0 }
        }
        try daemon.stop(forRestart: true)
        #expect(try daemon.program.waitForExit() == .code(0))
        try manager.end()
        #expect(throws: Errno.self) { try work.join() }
        let reception = full.receiveAll()
        #expect(reception.error == .connectionReset, "\(reception.bytes.count) bytes")
        #expect(try idle.receiveToEnd() == [])
        #expect(try idleServer.receiveToEnd() == [])
    }

    @Test("if the store is too small, the stop waits for sessions to end, and then closes the rest")
    func cuts() throws {
        // Enough for the sockets, and for the sessions of one worker of two.
        let small = try ServiceManager(capacity: 3)
        var daemon = try TestDaemon(
            // With a socket each, both workers get some of the sessions.
            serving("echo", #", "socket": {"reusePort": true}"#),
            more: Self.keeping + #""drain": {"deadline": "300ms"},"#,
            manager: small
        )
        let clients = try (0..<50).map { _ in Held(try daemon.connect()) }
        defer { withExtendedLifetime(clients) {} }
        for held in clients { try expectEcho("one", from: held.client) }
        let counts = try eventually("the workers to report all sessions") { () -> [Int]? in
            let counts = try daemon.status().workers.map(\.sessions)
            return counts.reduce(0, +) == clients.count ? counts : nil
        }
        try #require(counts.allSatisfy { $0 > 0 })
        try daemon.stop(forRestart: true)
        #expect(try daemon.program.waitForExit() == .code(0))
        let log = try daemon.program.standardError
        let kept = counts.filter { log.contains("stored 2 sockets and \($0) session") }
        #expect(!kept.isEmpty, "\(log)")
        #expect(log.contains(" did not fit the store, "))
        try daemon.start()
        try daemon.program.waitForStandardError(containing: "is ready")
        #expect(try kept.contains(daemon.status().totals.active))
        try small.end()
        try manager.end()
    }
}
