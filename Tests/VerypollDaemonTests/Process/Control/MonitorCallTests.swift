internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Control socket: monitors and operators")
struct MonitorCallTests {
    /// Returns a monitoring connection after its first reply.
    private func monitor(_ daemon: borrowing TestDaemon) throws -> ControlPeer {
        var peer = try ControlPeer(path: daemon.controlPath)
        try peer.client.send(
            ControlPeer.message("io.verypoll.Daemon.Monitor", flags: #", "more": true"#)
        )
        let first: MonitorEvent = try event(from: &peer)
        #expect(first.event == .status)
        return peer
    }

    private func event(from peer: inout ControlPeer) throws -> MonitorEvent {
        try #require(try peer.reply(MonitorEvent.self).parameters)
    }

    @Test("a session has the same ID in events, in GetSession and in the journal field")
    func tellsOfSessions() throws {
        let daemon = try TestDaemon(
            serving("echo"),
            more: #""log": {"sessions": true},"#
        )
        var peer = try monitor(daemon)
        let client = try daemon.connect()
        try expectEcho(from: client)
        let opened = try event(from: &peer)
        #expect(opened.event == .sessionOpened)
        let id = try #require(opened.session?.id)
        #expect(opened.session?.listener == "echo")
        #expect(opened.session?.state == .open)
        #expect(opened.reason == nil)

        var other = try ControlPeer(path: daemon.controlPath)
        let answer: SessionAnswer = try other.result(
            "io.verypoll.Daemon.GetSession",
            #"{"id": \#(id)}"#
        )
        #expect(answer.session.peer == opened.session?.peer)
        let gone = try other.call("io.verypoll.Daemon.GetSession", #"{"id": 4711}"#)
        #expect(gone.error == "io.verypoll.Daemon.SessionNotFound")
        try client.finishSending()
        #expect(try client.receiveToEnd() == [])
        let closed = try event(from: &peer)
        #expect(closed.event == .sessionClosed)
        #expect(closed.session?.id == id)
        #expect(closed.session?.state == .closing)
        #expect(closed.session?.bytesIn == 4)
        #expect(closed.session?.bytesOut == 4)
        #expect(closed.reason == "both ways ended")
        try daemon.program.waitForStandardError(containing: "session=\(id)")
    }

    @Test("earlier events are not delivered, and none are recorded without a monitor")
    func beginsAnew() throws {
        let daemon = try TestDaemon(serving("echo"))
        try expectEcho(from: try daemon.connect())
        try daemon.waitForNoSession()
        var peer = try monitor(daemon)
        let client = try daemon.connect()
        try expectEcho(from: client)
        #expect(try event(from: &peer).event == .sessionOpened)
    }

    @Test(
        "a monitor that never reads is closed eventually, and delays neither calls nor sessions"
    )
    func boundsStuck() throws {
        let daemon = try TestDaemon(serving("daytime"), serving("echo"))
        let stuck = try monitor(daemon)
        let address = try daemon.address(of: "daytime")
        // Each session causes about a kilobyte of events, of which some megabytes are buffered.
        var count = 0
        try eventually("the daemon to disconnect the monitor", within: .seconds(120)) {
            for _ in 0..<500 { _ = try Client(address: address).receiveToEnd() }
            count += 500
            try expectEcho(from: try daemon.connect())
            return try unreadEnd(of: stuck)
        }
        #expect(count >= 1000)
        #expect(try daemon.status().state == .running)
    }

    /// Returns whether the daemon has closed its end, without reading anything.
    private func unreadEnd(of peer: borrowing ControlPeer) throws -> Bool {
        // poll(2) reports POLLHUP even if it is not requested.
        var watch = pollfd(fd: peer.client.descriptor.rawValue, events: 0, revents: 0)
        return unsafe Glibc.poll(&watch, 1, 0) == 1
    }

    @Test("members of the socket's group may operate and others may read, without more privileges")
    func authorizes() throws {
        try #require(geteuid() == 0, "becoming another user requires root; run make test as root")
        let daemon = try TestDaemon(
            serving("echo"),
            control: #", "mode": "0666", "group": "daemon""#
        )
        #expect(try Program.run("chmod", ["755", daemon.directory.path]).exit == .code(0))
        let operations =
            [
                ("Drain", #"{"listener": "echo"}"#), ("Resume", #"{"listener": "echo"}"#),
                ("SetServer", #"{"upstream": "x", "server": "y", "weight": 1}"#), ("Reload", "{}"),
                ("KillSession", #"{"id": 4711}"#),
            ].map { ("io.verypoll.Daemon." + $0, $1) } + [
                ("io.systemd.service.SetLogLevel", #"{"level": 6}"#),
                ("io.systemd.service.Reload", "{}"),
            ]
        let looks = [
            ("GetStatus", "{}"), ("GetConfig", "{}"), ("ListSessions", "{}"),
            ("CheckConfig", #"{"text": ""}"#), ("GetSession", #"{"id": 4711}"#),
        ].map { ("io.verypoll.Daemon." + $0, $1) }
        func ask(_ call: (String, String), group: String) throws -> String {
            let message = ControlPeer.message(call.0, call.1)
            let file = try daemon.directory.write(message, to: "call")
            let line = """
                setpriv --reuid=65534 --regid=\(group) --clear-groups \
                socat -t10 - UNIX-CONNECT:\(daemon.controlPath) <\(file)
                """
            return try Program.run("/bin/sh", ["-c", line]).standardOutput
        }
        for call in operations + looks {
            let answer = try ask(call, group: "daemon")
            #expect(!answer.contains("PermissionDenied"), "\(call): \(answer)")
            #expect(answer.hasPrefix("{"), "\(call)")
        }
        for call in operations {
            let answer = try ask(call, group: "65534")
            #expect(answer.contains(#""org.varlink.service.PermissionDenied""#), "\(call)")
        }
        for call in looks {
            let answer = try ask(call, group: "65534")
            #expect(answer.hasPrefix("{") && !answer.contains("PermissionDenied"), "\(call)")
        }
    }
}
