internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// Waits until the kernel accepts some bytes; returns nil if the daemon has closed the connection.
private func sendOrEnd(_ bytes: ArraySlice<UInt8>, to client: borrowing Client) throws -> Int? {
    do throws(Errno) {
        return try client.sendSome(bytes)
    } catch {
        if error == .brokenPipe || error == .connectionReset { return nil }
        throw error
    }
}

/// Sends what the kernel accepts at once; returns nil if it accepts nothing.
private func sendNowOrEnd(_ bytes: ArraySlice<UInt8>, to client: borrowing Client) throws -> Int? {
    do throws(Errno) {
        return try client.sendNow(bytes)
    } catch {
        if error == .brokenPipe || error == .connectionReset { return nil }
        throw error
    }
}

@Suite("Control socket: malformed and excessive input")
struct ControlAbuseTests {
    private static let getStatus = ControlPeer.message("io.verypoll.Daemon.GetStatus")
    private static let ping = ControlPeer.message("io.systemd.service.Ping")

    @Test("a message may arrive byte by byte")
    func joinsPieces() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        for byte in Self.getStatus.utf8 { try peer.client.send([byte]) }
        #expect(try peer.reply(Status.self).parameters?.state == .running)
    }

    @Test("200 calls may arrive in one piece, and are answered in order")
    func splitsPieces() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        let calls = (1...200).map { number in
            ControlPeer.message("io.verypoll.Daemon.KillSession", #"{"id": \#(number)}"#)
        }
        try peer.client.send(calls.joined())
        for number in 1...200 {
            let reply = try peer.reply(ControlPeer.ErrorParameters.self)
            #expect(reply.error == "io.verypoll.Daemon.SessionNotFound")
            #expect(reply.parameters?.id == number)
        }
    }

    @Test("calls that are answered at once do not overtake slower ones")
    func keepsOrder() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        let list = ControlPeer.message("io.verypoll.Daemon.ListSessions")
        try peer.client.send(list + Self.ping + Self.getStatus + list)
        #expect(try peer.reply(SessionList.self).parameters?.sessions == [])
        let ping = try peer.reply(ControlPeer.ErrorParameters.self)
        #expect(ping.error == nil)
        #expect(try peer.reply(Status.self).parameters?.pid == Int(daemon.program.processID))
        #expect(try peer.reply(SessionList.self).parameters?.sessions == [])
    }

    @Test("oneway calls are performed and not answered")
    func keepsSilent() throws {
        let daemon = try TestDaemon(serving("echo"))
        let client = try daemon.connect()
        try client.send("?")
        #expect(try client.receive(exactly: 1) == [0x3F])
        let id = try daemon.sessions()[0].id
        var peer = try ControlPeer(path: daemon.controlPath)
        let kill = "io.verypoll.Daemon.KillSession"
        let flag = #", "oneway": true"#
        try peer.client.send(
            ControlPeer.message(kill, #"{"id": 99}"#, flags: flag)
                + ControlPeer.message(kill, #"{"id": \#(id)}"#, flags: flag)
                + ControlPeer.message("no.such.Method", flags: flag) + Self.getStatus
        )
        #expect(try client.receiveToEnd() == [])
        #expect(try peer.reply(Status.self).parameters?.pid == Int(daemon.program.processID))
    }

    @Test(
        "an invalid message silently closes the connection",
        arguments: [
            "\0", "no JSON\0", "[]\0", "{}\0", "null\0", #"{"method": 1}"# + "\0",
            #"{"method": "io.systemd.service.Ping", "more": "yes"}"# + "\0",
            #"{"method": "io.systemd.service.Ping", "more": true, "oneway": true}"# + "\0",
            #"{"method": "io.systemd.service.Ping""# + "\0",
        ]
    )
    func endsMalformed(message: String) throws {
        let daemon = try TestDaemon(serving("echo"))
        let peer = try ControlPeer(path: daemon.controlPath)
        try peer.client.send(message)
        #expect(try peer.client.receiveToEnd() == [])
        #expect(try daemon.status().state == .running)
    }

    @Test("a message over 1 MiB closes the connection without filling the memory")
    func endsOversized() throws {
        let daemon = try TestDaemon(serving("echo"))
        #expect(try daemon.status().state == .running)
        let peer = try ControlPeer(path: daemon.controlPath)
        let block = [UInt8](repeating: UInt8(ascii: " "), count: 1 << 16)
        var sent = 0
        while sent < 64 << 20 {
            guard let count = try sendOrEnd(block[...], to: peer.client) else { break }
            sent += count
        }
        #expect(sent >= 1 << 20)
        #expect(sent < 4 << 20)
        #expect(try daemon.status().state == .running)
    }

    @Test("end of file in the middle of a message closes the connection")
    func endsHalfMessage() throws {
        let daemon = try TestDaemon(serving("echo"))
        let peer = try ControlPeer(path: daemon.controlPath)
        try peer.client.send(Self.getStatus.dropLast(10).description)
        try peer.client.finishSending()
        #expect(try peer.client.receiveToEnd() == [])
    }

    @Test("calls before end of file are answered")
    func answersAfterEnd() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        let list = ControlPeer.message("io.verypoll.Daemon.ListSessions")
        try peer.client.send(Self.getStatus + list)
        try peer.client.finishSending()
        #expect(try peer.reply(Status.self).parameters?.state == .running)
        #expect(try peer.reply(SessionList.self).parameters?.sessions == [])
        #expect(try peer.receive() == nil)
    }

    @Test("a client that calls and never reads stalls only itself, and does not fill the memory")
    func boundsOutput() throws {
        let daemon = try TestDaemon(serving("echo"))
        #expect(try daemon.status().state == .running)
        let memory = try daemon.program.residentByteCount()
        let peer = try ControlPeer(path: daemon.controlPath)
        let calls = Array(String(repeating: Self.getStatus, count: 1000).utf8)
        var sent = 0
        var refusals = 0
        try eventually("the client to be stalled or disconnected") {
            let count = try sendNowOrEnd(calls[...], to: peer.client)
            sent += count ?? 0
            refusals = count == nil ? refusals + 1 : 0
            // Other clients are answered all the while.
            #expect(try daemon.status().state == .running)
            return refusals == 20
        }
        #expect(sent > 0)
        let growth = try daemon.program.residentByteCount() - memory
        #expect(isSanitized || growth < 8 << 20, "\(growth) bytes")
    }

    @Test("64 silent or worse clients disturb neither the data plane nor new clients")
    func survivesCrowd() throws {
        let daemon = try TestDaemon(serving("echo"))
        let idle = try (0..<64).map { _ in Held(try Client(path: daemon.controlPath)) }
        defer { withExtendedLifetime(idle) {} }
        let half = Array(Self.getStatus.utf8.dropLast(5))
        for held in idle.prefix(32) { try held.client.send(half) }

        let path = daemon.controlPath
        let crowd = EchoCrowd(
            address: try daemon.address(),
            clientCount: 200,
            concurrency: 10,
            sizes: 1000...1 << 20
        )
        let abuse = ConcurrentWork {
            let messages = [
                Self.getStatus, "no JSON\0", Self.ping + Self.ping, "{\"method\":", "{}\0",
                String(repeating: "x", count: 1 << 21),
            ]
            for round in 0..<300 {
                let client = try Client(path: path)
                _ = try sendOrEnd(Array(messages[round % messages.count].utf8)[...], to: client)
            }
        }
        let outcome = try crowd.run()
        // Together they get no more CPU time than the control budget allows, so this takes a while.
        try abuse.join(within: .seconds(300))
        #expect(outcome.failures == [])
        #expect(outcome.completed == 200)
        #expect(try daemon.status().state == .running)
        try daemon.waitForNoSession()
    }
}
