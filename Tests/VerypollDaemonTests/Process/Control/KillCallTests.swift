import TestSupport
import Testing
import VerypollControl

@testable import StrictJSON

@Suite("Killing sessions over the control socket")
struct KillCallTests {
    private static let method = "io.verypoll.Daemon.KillSessions"

    private func kill(_ daemon: borrowing TestDaemon, _ parameters: String) throws -> Int {
        var peer = try ControlPeer(path: daemon.controlPath)
        let count: KillCount = try peer.result(Self.method, parameters)
        return count.count
    }

    @Test("KillSessions closes the sessions that meet all criteria, and no others")
    func kills() throws {
        let daemon = try TestDaemon(serving("echo"), serving("echo", as: "other"))
        var held: [Held] = []
        defer { withExtendedLifetime(held) {} }
        for name in ["echo", "other"] {
            let address = try daemon.address(of: name)
            for _ in 0..<5 {
                held.append(Held(try Client(address: address)))
                try expectEcho("hello", from: held[held.count - 1].client)
            }
        }
        #expect(try kill(daemon, #"{"peer": "10.0.0.0/8"}"#) == 0)
        #expect(try kill(daemon, #"{"listener": "echo", "peer": "127.0.0.0/8"}"#) == 5)
        for held in held[..<5] { #expect(try held.client.receiveToEnd() == []) }
        for held in held[5...] { try expectEcho("still here", from: held.client) }
        #expect(try kill(daemon, #"{"all": true}"#) == 5)
        #expect(try daemon.sessions().isEmpty)
        let log = try daemon.program.standardError
        #expect(log.contains(" 5 sessions are killed by "))
        #expect(log.contains("selected by: listener echo, peer 127.0.0.0/8"))
    }

    @Test("more sessions than a turn closes are all closed")
    func killsMany() throws {
        let daemon = try TestDaemon(serving("echo"), workers: 1)
        let address = try daemon.address()
        var held: [Held] = []
        defer { withExtendedLifetime(held) {} }
        for _ in 0..<300 { held.append(Held(try Client(address: address))) }
        try eventually("all sessions to be open") { try daemon.status().totals.active == 300 }
        #expect(try kill(daemon, #"{"listener": "echo"}"#) == 300)
        #expect(try daemon.status().totals.active == 0)
    }

    @Test("criteria that select nothing by mistake are refused")
    func refuses() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        for (parameters, error) in [
            ("{}", "org.varlink.service.InvalidParameter"),
            (#"{"all": false}"#, "org.varlink.service.InvalidParameter"),
            (#"{"all": true, "listener": "echo"}"#, "org.varlink.service.InvalidParameter"),
            (#"{"peer": "nonsense"}"#, "org.varlink.service.InvalidParameter"),
            (#"{"serverName": "a b"}"#, "org.varlink.service.InvalidParameter"),
            (#"{"listener": "none"}"#, "io.verypoll.Daemon.ListenerNotFound"),
            (#"{"upstream": "none"}"#, "io.verypoll.Daemon.UpstreamNotFound"),
            (#"{"server": "none:1"}"#, "io.verypoll.Daemon.ServerNotFound"),
        ] {
            #expect(try peer.call(Self.method, parameters).error == error, "\(parameters)")
        }
    }

    @Test("the log names the caller of each action, and the session that was killed")
    func logsCaller() throws {
        let daemon = try TestDaemon(serving("echo"))
        let client = try daemon.connect()
        try expectEcho("here", from: client)
        let id = try daemon.sessions()[0].id
        var peer = try ControlPeer(path: daemon.controlPath)
        let own = try #require(try daemon.callerText())
        for (method, parameters, text) in [
            ("io.verypoll.Daemon.KillSession", #"{"id": \#(id)}"#, "on echo is killed by \(own)"),
            ("io.verypoll.Daemon.Drain", "{}", "ordered by \(own)"),
            ("io.verypoll.Daemon.Resume", "{}", "accept again, ordered by \(own)"),
            ("io.verypoll.Daemon.Reload", "{}", "the configuration is reloaded by \(own)"),
            ("io.systemd.service.SetLogLevel", #"{"level": 7}"#, "to debug by \(own)"),
        ] {
            #expect(try peer.call(method, parameters).error == nil)
            try daemon.program.waitForStandardError(containing: text)
        }
    }

    @Test("a session without a server is waiting, and one that looks for a server is connecting")
    func showsStates() throws {
        let server = try Server()
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream(["127.0.0.1:\(server.port)"], #", "maxSessions": 1"#))
        )
        let first = Held(try daemon.connect(to: "front"))
        let accepted = Held(try server.accept())
        let second = Held(try daemon.connect(to: "front"))
        defer { withExtendedLifetime([first, accepted, second]) {} }
        try eventually("the second session to wait") {
            try daemon.sessions().map(\.state) == [.open, .waiting]
        }
        let peer = "127.0.0.1:\(server.port)"
        #expect(try kill(daemon, #"{"server": "\#(peer)"}"#) == 1)
        // The other session gets the place, and its server.
        let next = Held(try server.accept())
        defer { withExtendedLifetime(next) {} }
        try eventually("the second session to be open") {
            try daemon.sessions().map(\.state) == [.open]
        }
    }
}

extension TestDaemon {
    /// The text for this process as a caller.
    fileprivate borrowing func callerText() throws -> String? {
        var peer = try ControlPeer(path: controlPath)
        try peer.client.send(
            ControlPeer.message("io.verypoll.Daemon.Monitor", flags: #", "more": true"#)
        )
        _ = try peer.reply(MonitorEvent.self)
        var other = try ControlPeer(path: controlPath)
        _ = try other.call("io.systemd.service.SetLogLevel", #"{"level": 5}"#)
        return try peer.reply(MonitorEvent.self).parameters?.caller?.description
    }
}
