internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Exit on idle")
struct IdleExitTests {
    @Test("an unused daemon exits without losing a connection")
    func ends() throws {
        let server = try Server()
        let activated = [PassedSocket(name: "web", descriptor: server.descriptor)]
        for round in 1...3 {
            // Connect before the daemon starts, because an idle daemon may have exited by the time
            // that a later client connects.
            let client = try Client(port: server.port)
            try client.send("round \(round)")
            let daemon = try TestDaemon(
                serving("echo", listen: "systemd:web"),
                more: #""exitOnIdle": "1s","#,
                sockets: activated
            )
            #expect(try client.receive(exactly: 7) == Array("round \(round)".utf8))
            try client.finishSending()
            #expect(try client.receiveToEnd() == [])
            #expect(try daemon.program.waitForExit() == .code(0))
            #expect(try daemon.program.standardError.contains("exiting: idle for 1s"))
        }
    }

    @Test("clients that connect while it exits are served by it or by the next daemon")
    func losesNobody() throws {
        let server = try Server()
        let activated = [PassedSocket(name: "web", descriptor: server.descriptor)]
        let start = { (more: String) in
            try TestDaemon(serving("echo", listen: "systemd:web"), more: more, sockets: activated)
        }
        let daemon = try start(#""exitOnIdle": "1s","#)
        var clients: [Held] = []
        defer { withExtendedLifetime(clients) {} }
        // Connect one after another, with pauses that grow beyond the limit.
        while try daemon.program.exit == nil {
            let held = Held(try Client(port: server.port))
            try held.client.send("?")
            clients.append(held)
            try held.client.finishSending()
            let before = ContinuousClock.now
            let pause = Duration.milliseconds(clients.count * 200)
            try eventually("a pause") {
                try ContinuousClock.now - before > pause || daemon.program.exit != nil
            }
        }
        // Without an idle limit, so that this daemon does not exit before its status is read.
        let next = try start("")
        for held in clients { #expect(try held.client.receiveToEnd() == Array("?".utf8)) }
        #expect(try next.status().state == .running)
    }

    @Test("a daemon with a live session does not exit")
    func staysForSession() throws {
        let server = try Server()
        let client = try Client(port: server.port)
        try client.send("x")
        let daemon = try TestDaemon(
            serving("echo", listen: "systemd:web"),
            more: #""exitOnIdle": "1s","#,
            sockets: [PassedSocket(name: "web", descriptor: server.descriptor)]
        )
        #expect(try client.receive(exactly: 1) == Array("x".utf8))
        let before = ContinuousClock.now
        while ContinuousClock.now - before < .seconds(3) {
            try client.send("x")
            #expect(try client.receive(exactly: 1) == Array("x".utf8))
        }
        #expect(try daemon.program.exit == nil)
        try client.finishSending()
        #expect(try daemon.program.waitForExit() == .code(0))
    }
}
