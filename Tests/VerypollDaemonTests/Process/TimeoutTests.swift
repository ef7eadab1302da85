internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Timeouts")
struct TimeoutTests {
    private func timeouts(_ text: String) -> String { #", "timeouts": {\#(text)}"# }

    /// Expects the connection to end, and not before `span` has passed.
    private func expectEnd(
        of client: borrowing Client,
        after span: Duration,
        since beginning: ContinuousClock.Instant
    ) throws {
        #expect(try client.receiveToEnd() == [])
        #expect(ContinuousClock.now - beginning >= span)
    }

    /// Connects and runs `body`, again and again until `body` succeeds in time; on a slow machine,
    /// the daemon may end the session before.
    ///
    /// - Returns: The client, and a time before it connected.
    private func connect(
        to address: String,
        doing something: (borrowing Client) throws -> Bool
    ) throws -> (held: Held, beginning: ContinuousClock.Instant) {
        try eventually("a session that is in time") {
            let beginning = ContinuousClock.now
            let held = Held(try Client(address: address))
            return try something(held.client) ? (held, beginning) : nil
        }
    }

    /// Sends a byte; returns whether it was echoed before the connection ended.
    private func isAnswered(_ client: borrowing Client) throws -> Bool {
        do throws(Errno) {
            try client.send("?")
            return try !client.receive().isEmpty
        } catch {
            // The byte was in transit when the daemon closed the connection.
            if error == .connectionReset || error == .brokenPipe { return false }
            throw error
        }
    }

    @Test("firstByte ends a client that sends nothing", arguments: ["echo", "discard"])
    func endsSilent(handler: String) throws {
        let daemon = try TestDaemon(serving(handler, timeouts(#""firstByte": "300ms""#)))
        let address = try daemon.address(of: handler)
        let talker = try connect(to: address) { client in
            if handler == "echo" { return try isAnswered(client) }
            try client.send("!")
            return try eventually("a byte to be read, or the end") { () -> Bool? in
                if try daemon.sessions().contains(where: { $0.bytesIn == 1 }) { return true }
                do throws(Errno) { return try client.receiveNow() == nil ? nil : false } catch {
                    return false
                }
            }
        }.held
        let beginning = ContinuousClock.now
        let silent = try Client(address: address)
        try expectEnd(of: silent, after: .milliseconds(300), since: beginning)
        // The client that has sent a byte stays, although it connected earlier.
        #expect(try daemon.status().totals.active == 1)
        #expect(try talker.client.receiveNow() == nil)
        if handler == "echo" { #expect(try isAnswered(talker.client)) }
    }

    @Test(
        "a client of a handler that speaks first need not send anything",
        arguments: ["chargen", "daytime"]
    )
    func sparesListeners(handler: String) throws {
        let daemon = try TestDaemon(
            serving(handler, timeouts(#""firstByte": "50ms""#)),
            serving("echo", timeouts(#""firstByte": "400ms""#))
        )
        let client = try daemon.connect(to: handler)
        // The silent client connected later, and has eight times as long.
        let silent = try daemon.connect()
        #expect(try silent.receiveToEnd() == [])
        #expect(try daemon.sessions(#"{"listener": "\#(handler)"}"#).count == 1)
        #expect(try !client.receive().isEmpty)
    }

    @Test("idle ends a client that does nothing anymore")
    func endsIdle() throws {
        let daemon = try TestDaemon(serving("echo", timeouts(#""idle": "300ms""#)))
        var beginning = ContinuousClock.now
        let held = try connect(to: daemon.address()) { client in
            for _ in 0..<4 {
                beginning = .now
                guard try isAnswered(client) else { return false }
            }
            return true
        }.held
        try expectEnd(of: held.client, after: .milliseconds(300), since: beginning)
    }

    @Test("activity postpones idle")
    func postponesIdle() throws {
        let daemon = try TestDaemon(serving("echo", timeouts(#""idle": "1s""#)))
        try eventually("an active client that the machine does not stall") {
            try outlivesIdle(daemon)
        }
    }

    /// Keeps one client active until a second, idle one has ended, and then for the timeout once
    /// more.
    ///
    /// - Returns: `false` if the machine stalled for so long that the active client ended as well.
    private func outlivesIdle(_ daemon: borrowing TestDaemon) throws -> Bool {
        let beginning = ContinuousClock.now
        let active = try daemon.connect()
        let idle = try daemon.connect()
        guard try isAnswered(idle) else { return false }
        var spokeAt = beginning
        var end: ContinuousClock.Instant?
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            let now = ContinuousClock.now
            guard try isAnswered(active) else {
                #expect(ContinuousClock.now - spokeAt >= .seconds(1))
                return false
            }
            spokeAt = now
            if end == nil, try idle.receiveNow() == [] { end = .now + .seconds(1) }
        }
        #expect(ContinuousClock.now - beginning >= .seconds(2))
        return true
    }

    @Test("idle ends a client that no longer reads")
    func endsStalled() throws {
        let daemon = try TestDaemon(serving("chargen", timeouts(#""idle": "300ms""#)))
        let client = try daemon.connect(to: "chargen")
        #expect(try client.receive(exactly: 1000) == characterPattern(1000))
        try daemon.waitForNoSession()
    }

    @Test("halfClosed ends a connection with one direction closed")
    func endsHalfClosed() throws {
        let daemon = try TestDaemon(serving("daytime", timeouts(#""halfClosed": "300ms""#)))
        let address = try daemon.address(of: "daytime")
        let (held, beginning) = try connect(to: address) { client in
            #expect(try !client.receiveToEnd().isEmpty)
            let states = try daemon.sessions().map(\.state)
            #expect(states == [.halfClosed] || states == [])
            return !states.isEmpty
        }
        defer { withExtendedLifetime(held) {} }
        try daemon.waitForNoSession()
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
    }

    @Test("halfClosed ends a half-closed client of chargen")
    func endsHalfClosedReader() throws {
        let daemon = try TestDaemon(serving("chargen", timeouts(#""halfClosed": "300ms""#)))
        let client = try daemon.connect(to: "chargen")
        #expect(try client.receive(exactly: 1000) == characterPattern(1000))
        let beginning = ContinuousClock.now
        try client.finishSending()
        var count = 0
        while case let bytes = try client.receive(), !bytes.isEmpty { count += bytes.count }
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
        #expect(count > 0)
    }

    @Test("lifetime ends a session whatever it does")
    func endsOld() throws {
        let daemon = try TestDaemon(serving("echo", timeouts(#""lifetime": "500ms""#)))
        let (held, beginning) = try connect(to: daemon.address()) { try isAnswered($0) }
        while try isAnswered(held.client) {}
        #expect(ContinuousClock.now - beginning >= .milliseconds(500))
        try daemon.waitForNoSession()
    }
}
