internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Control socket: status and sessions")
struct SessionCallTests {
    private typealias Errors = ControlPeer.ErrorParameters

    @Test("GetStatus counts the sessions that were just served, per listener")
    func counts() throws {
        let daemon = try TestDaemon(
            serving("echo"),
            serving("discard"),
            serving("drop", as: "afterwards")
        )
        let echo = try daemon.connect()
        try expectEcho(String(repeating: "e", count: 1000), from: echo)
        let discard = try daemon.connect(to: "discard")
        try discard.send(String(repeating: "d", count: 500))
        try discard.finishSending()
        #expect(try discard.receiveToEnd() == [])
        // A worker publishes its listeners' counters one after another, and then its own.
        let status = try eventually("all sessions to be counted") { () -> Status? in
            let status = try daemon.status()
            let isCounted =
                status.totals.active == 1 && status.totals.accepted == 2
                && status.totals.bytesIn == 1500 && status.totals.bytesOut == 1000
                && status.workers.reduce(0) { $0 + $1.sessions } == 1
            return isCounted ? status : nil
        }
        #expect(status.version == Release.version)
        #expect(status.pid == Int(daemon.program.processID))
        #expect(status.configurationPath == daemon.directory.appending("verypolld.json"))
        #expect(status.state == .running)
        #expect(status.note == nil)
        #expect(status.listeners.map(\.name) == ["afterwards", "discard", "echo"])
        #expect(status.listeners.map(\.handler) == ["drop", "discard", "echo"])
        #expect(status.listeners.map(\.active) == [0, 0, 1])
        #expect(status.listeners.map(\.accepted) == [0, 1, 1])
        #expect(status.listeners.map(\.bytesIn) == [0, 500, 1000])
        #expect(status.listeners.map(\.bytesOut) == [0, 0, 1000])
        #expect(!status.listeners.contains { $0.state != .accepting })
        #expect(!status.listeners.contains { $0.addresses.map(\.origin) != [.bound] })
        #expect(status.totals.active == 1)
        #expect(status.totals.accepted == 2)
        #expect(status.totals.bytesIn == 1500)
        #expect(status.totals.bytesOut == 1000)
        #expect(status.workers.map(\.index) == [0, 1])
        #expect(status.workers.reduce(0) { $0 + $1.sessions } == 1)
        #expect(!status.workers.contains { !(0...1).contains($0.busyShare) })
        #expect(status.workers.reduce(0) { $0 + $1.events } >= 3)
    }

    @Test("GetStatus names all files of the configuration in effect")
    func namesFiles() throws {
        let daemon = try TestDaemon(serving("echo"))
        let main = daemon.directory.appending("verypolld.json")
        #expect(try daemon.status().configurationFiles == [main])
        let included = try daemon.directory.write("{}", to: "included.json")
        try daemon.rewrite(serving("echo"), more: #""include": ["DIR/included.json"],"#)
        try daemon.reload()
        #expect(try daemon.status().configurationFiles == [main, included])
    }

    @Test("ListListeners returns the same listeners as GetStatus")
    func listsListeners() throws {
        let daemon = try TestDaemon(serving("echo"), serving("daytime"))
        var peer = try ControlPeer(path: daemon.controlPath)
        let list: ListenerList = try peer.result("io.verypoll.Daemon.ListListeners")
        #expect(list.listeners == (try daemon.status().listeners))
        #expect(list.listeners.map(\.name) == ["daytime", "echo"])
    }

    @Test("GetMetrics returns the same metrics as the metrics handler, as OpenMetrics")
    func tellsMetrics() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        let text = try (peer.result("io.verypoll.Daemon.GetMetrics") as MetricsText).text
        #expect(text.contains("\nverypolld_listener_accepted_total{listener=\"echo\"} 0\n"))
        #expect(text.hasSuffix("\n# EOF\n"))
    }

    @Test("ListSessions returns each session's client and byte counts")
    func listsSessions() throws {
        let daemon = try TestDaemon(serving("echo"), serving("discard", listen: "unix:DIR/discard"))
        let address = try daemon.address()
        let first = try daemon.connect()
        try expectEcho("12345", from: first)
        let second = try daemon.connect(to: "discard")
        try second.send("123")
        try daemon.waitForTotals("8 bytes") { $0.bytesIn == 8 }

        let sessions = try daemon.sessions()
        #expect(sessions.count == 2)
        #expect(Set(sessions.map(\.id)).count == 2)
        let echo = try #require(sessions.first { $0.listener == "echo" })
        #expect(echo.peer.hasPrefix("127.0.0.1:"))
        #expect(echo.local == address)
        #expect((echo.bytesIn, echo.bytesOut, echo.buffered) == (5, 5, 0))
        #expect(echo.state == .open)
        #expect(echo.openedTimestampUSec >= (try daemon.status().startTimestampUSec))
        let discard = try #require(sessions.first { $0.listener == "discard" })
        #expect(discard.peer.hasPrefix("unix:pid="))
        #expect((discard.bytesIn, discard.bytesOut) == (3, 0))

        #expect(try daemon.sessions(#"{"listener": "discard"}"#).map(\.id) == [discard.id])
        #expect(try daemon.sessions(#"{"peer": "127.0.0.1"}"#).map(\.id) == [echo.id])
        #expect(try daemon.sessions(#"{"peer": "\#(echo.peer)"}"#).map(\.id) == [echo.id])
        #expect(try daemon.sessions(#"{"peer": "127.0.0.2"}"#) == [])
        #expect(try daemon.sessions(#"{"peer": "127.0.0.1", "listener": "discard"}"#) == [])
    }

    @Test("ListSessions lists the oldest sessions first, and reports if there are more")
    func limitsList() throws {
        let daemon = try TestDaemon(serving("echo"), workers: 1)
        let address = try daemon.address()
        var clients: [Held] = []
        defer { withExtendedLifetime(clients) {} }
        for _ in 0..<20 {
            let client = try Client(address: address)
            try expectEcho("x", from: client)
            clients.append(Held(client))
        }
        // The next session reuses the slot of the one that ends now, but it is the youngest.
        clients.remove(at: 3)
        try eventually("the end of one session") { try daemon.status().totals.active == 19 }
        let youngest = try Client(address: address)
        try expectEcho("x", from: youngest)
        #expect(try daemon.sessions().map(\.id) == [1, 2, 3] + Array(5...21))
        var peer = try ControlPeer(path: daemon.controlPath)
        let method = "io.verypoll.Daemon.ListSessions"
        let some: SessionList = try peer.result(method, #"{"limit": 5}"#)
        #expect(some.sessions.map(\.id) == [1, 2, 3, 5, 6])
        #expect(some.truncated)
        let all: SessionList = try peer.result(method, #"{"limit": 20}"#)
        #expect(all.sessions.count == 20)
        #expect(!all.truncated)
    }

    @Test("ListSessions rejects invalid limits and unknown listeners")
    func refusesQueries() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        for limit in [0, -1, 10_001] {
            let reply = try peer.call("io.verypoll.Daemon.ListSessions", #"{"limit": \#(limit)}"#)
            #expect(reply.error == "org.varlink.service.InvalidParameter")
            #expect(reply.parameters?.parameter == "limit")
        }
        let reply = try peer.call("io.verypoll.Daemon.ListSessions", #"{"listener": "none"}"#)
        #expect(reply.error == "io.verypoll.Daemon.ListenerNotFound")
        #expect(reply.parameters?.listener == "none")
    }

    @Test("KillSession ends only the given session, and rejects an ended one")
    func kills() throws {
        let daemon = try TestDaemon(serving("echo"))
        let address = try daemon.address()
        let victim = try Client(address: address)
        try expectEcho("victim", from: victim)
        let id = try daemon.sessions()[0].id
        let others = try (0..<10).map { _ in Held(try Client(address: address)) }
        defer { withExtendedLifetime(others) {} }
        for held in others { try expectEcho("others", from: held.client) }

        var peer = try ControlPeer(path: daemon.controlPath)
        let reply = try peer.call("io.verypoll.Daemon.KillSession", #"{"id": \#(id)}"#)
        #expect(reply.error == nil)
        #expect(try victim.receiveToEnd() == [])
        for held in others { try expectEcho("still here", from: held.client) }
        #expect(try daemon.status().totals.active == 10)

        for number in [id, 0, -5, 1_000_000, Int.max] {
            let reply = try peer.call("io.verypoll.Daemon.KillSession", #"{"id": \#(number)}"#)
            #expect(reply.error == "io.verypoll.Daemon.SessionNotFound")
            #expect(reply.parameters?.id == number)
        }
        let untyped = try peer.call("io.verypoll.Daemon.KillSession", #"{"id": "1"}"#)
        #expect(untyped.error == "org.varlink.service.InvalidParameter")
        #expect(untyped.parameters?.parameter == "id")
    }

    @Test("another user with access to the socket may read, and may not kill")
    func refusesStrangers() throws {
        try #require(geteuid() == 0, "becoming another user requires root; run make test as root")
        let daemon = try TestDaemon(serving("echo"), control: #", "mode": "0666""#)
        #expect(try Program.run("chmod", ["755", daemon.directory.path]).exit == .code(0))
        let client = try daemon.connect()
        try expectEcho("here", from: client)
        let id = try daemon.sessions()[0].id
        func ask(_ method: String, _ parameters: String) throws -> String {
            let message = ControlPeer.message("io.verypoll.Daemon.\(method)", parameters)
            let file = try daemon.directory.write(message, to: "call")
            let line = """
                setpriv --reuid=65534 --regid=65534 --clear-groups \
                socat -t10 - UNIX-CONNECT:\(daemon.controlPath) <\(file)
                """
            return try Program.run("/bin/sh", ["-c", line]).standardOutput
        }
        #expect(try ask("GetStatus", "{}").contains(#""pid":\#(daemon.program.processID)"#))
        #expect(try ask("ListSessions", "{}").contains(#""id":\#(id)"#))
        let refusal = try ask("KillSession", #"{"id": \#(id)}"#)
        defer { withExtendedLifetime(refusal) {} }
        #expect(refusal.contains(#""org.varlink.service.PermissionDenied""#), "\(refusal)")
        try expectEcho("still here", from: client)
    }
}
