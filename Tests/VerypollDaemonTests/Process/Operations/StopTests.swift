internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Stopping the daemon")
struct StopTests {
    private func waitForRefusal(at address: String) throws {
        try eventually("connections to be refused") {
            try Client.isRefused(at: address)
        }
    }

    @Test("without sessions, it exits at once and removes its socket files")
    func stopsIdle() throws {
        let daemon = try TestDaemon(serving("echo", listen: "127.0.0.1:0 unix:DIR/echo"))
        let files = [daemon.controlPath, daemon.directory.appending("echo")]
        for file in files { #expect(unsafe access(file, F_OK) == 0) }
        try daemon.program.send(SIGTERM)
        #expect(try daemon.program.waitForExit() == .code(0))
        for file in files { #expect(unsafe access(file, F_OK) != 0, "\(file)") }
        #expect(try daemon.program.standardError.contains("stopped"))
    }

    @Test(
        "it refuses connections at once, serves a live session to its end, and then exits",
        arguments: [SIGTERM, SIGINT],
        EchoTests.addresses
    )
    func drains(signal: Int32, address: String) throws {
        // A port that no other process gets when the daemon closes it.
        let bound = address.replacing(":0", with: ":\(try reservedPort())")
        let daemon = try TestDaemon(serving("echo", listen: bound))
        let client = try daemon.connect()
        try expectEcho("before", from: client)
        let address = try daemon.address()
        try daemon.program.send(signal)
        try waitForRefusal(at: address)
        try expectEcho("meanwhile", from: client)
        let status = try daemon.status()
        #expect(status.state == .draining)
        #expect(status.listeners[0].state == .draining)
        #expect(status.totals.active == 1)
        try expectEcho("still", from: client)
        #expect(try daemon.program.exit == nil)
        try client.finishSending()
        #expect(try client.receiveToEnd() == [])
        #expect(try daemon.program.waitForExit() == .code(0))
    }

    @Test("at the deadline, live sessions are closed")
    func closesAtDeadline() throws {
        let daemon = try TestDaemon(
            serving("echo"),
            more: #""drain": {"deadline": "300ms"},"#
        )
        let address = try daemon.address()
        let clients = try (0..<10).map { _ in Held(try Client(address: address)) }
        defer { withExtendedLifetime(clients) {} }
        for held in clients { try expectEcho("before", from: held.client) }
        let beginning = ContinuousClock.now
        try daemon.program.send(SIGTERM)
        for held in clients { #expect(try held.client.receiveToEnd() == []) }
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
        #expect(try daemon.program.waitForExit() == .code(0))
    }

    @Test("a stop that closes sessions logs the end of each", arguments: 0..<5)
    func logsLastSessions(round: Int) throws {
        let daemon = try TestDaemon(
            serving("echo"),
            more: #""drain": {"deadline": "50ms"}, "log": {"sessions": true},"#,
            workers: 4
        )
        let address = try daemon.address()
        let clients = try (0..<100).map { _ in Held(try Client(address: address)) }
        defer { withExtendedLifetime(clients) {} }
        for held in clients { try expectEcho("before", from: held.client) }
        try daemon.program.send(SIGTERM)
        #expect(try daemon.program.waitForExit() == .code(0))
        let lines = try daemon.program.standardError.split(separator: "\n")
        #expect(
            lines.filter { $0.contains("session ended: the daemon stopped") }.count == clients.count
        )
    }

    @Test("a second signal does not wait for sessions")
    func stopsForSecondSignal() throws {
        let daemon = try TestDaemon(serving("echo"))
        let client = try daemon.connect()
        try expectEcho("before", from: client)
        try daemon.program.send(SIGTERM)
        try daemon.program.waitForStandardError(containing: "stopping for SIGTERM")
        try expectEcho("meanwhile", from: client)
        try daemon.program.send(SIGINT)
        #expect(try daemon.program.waitForExit() == .code(0))
        #expect(try client.receiveToEnd() == [])
    }

    @Test("clients of the control socket do not delay a stop")
    func ignoresControlClients() throws {
        let daemon = try TestDaemon(serving("echo"))
        let idle = try (0..<10).map { _ in Held(try Client(path: daemon.controlPath)) }
        defer { withExtendedLifetime(idle) {} }
        #expect(try daemon.status().state == .running)
        try daemon.program.send(SIGTERM)
        #expect(try daemon.program.waitForExit() == .code(0))
        for held in idle { #expect(try held.client.receiveToEnd() == []) }
    }
}
