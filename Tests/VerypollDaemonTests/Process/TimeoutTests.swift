#if Net && OSExt
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("timeouts")
struct TimeoutTests {
    private func timeouts(_ text: String) -> String { #", "timeouts": {\#(text)}"# }

    /// Expects the end of the connection, and that it did not come before `span` was over.
    private func expectEnd(
        of client: borrowing Client,
        after span: Duration,
        since beginning: ContinuousClock.Instant
    ) throws {
        #expect(try client.receiveToEnd() == [])
        #expect(ContinuousClock.now - beginning >= span)
    }

    @Test("a client that says nothing is ended by firstByte", arguments: ["echo", "discard"])
    func endsSilent(handler: String) throws {
        let daemon = try TestDaemon(serving(handler, timeouts(#""firstByte": "300ms""#)))
        let address = try daemon.address(of: handler)
        let beginning = ContinuousClock.now
        let silent = try Client(address: address)
        let talker = try Client(address: address)
        try talker.send("!")
        try expectEnd(of: silent, after: .milliseconds(300), since: beginning)
        // One that has spoken stays.
        #expect(try daemon.status().totals.active == 1)
        if handler == "echo" { #expect(try talker.receive(exactly: 1) == [0x21]) }
        #expect(try talker.receiveNow() == nil)
    }

    @Test(
        "who is spoken to first need not say a word",
        arguments: ["chargen", "daytime"]
    )
    func sparesListeners(handler: String) throws {
        let daemon = try TestDaemon(
            serving(handler, timeouts(#""firstByte": "50ms""#)),
            serving("echo", timeouts(#""firstByte": "400ms""#))
        )
        let client = try daemon.connect(to: handler)
        // It began later, and has eight times as long.
        let silent = try daemon.connect()
        #expect(try silent.receiveToEnd() == [])
        #expect(try daemon.sessions(#"{"listener": "\#(handler)"}"#).count == 1)
        #expect(try !client.receive().isEmpty)
    }

    @Test("a client that does nothing any more is ended by idle")
    func endsIdle() throws {
        let daemon = try TestDaemon(serving("echo", timeouts(#""idle": "300ms""#)))
        let client = try daemon.connect()
        for _ in 0..<3 {
            try client.send("!")
            #expect(try client.receive(exactly: 1) == [0x21])
        }
        let beginning = ContinuousClock.now
        try client.send("!")
        #expect(try client.receive(exactly: 1) == [0x21])
        try expectEnd(of: client, after: .milliseconds(300), since: beginning)
    }

    @Test("activity postpones idle")
    func postponesIdle() throws {
        let daemon = try TestDaemon(serving("echo", timeouts(#""idle": "1s""#)))
        let beginning = ContinuousClock.now
        let active = try daemon.connect()
        let idle = try daemon.connect()
        try idle.send("!")
        #expect(try idle.receive(exactly: 1) == [0x21])
        // Until the idle one has been ended, and then for its time once more.
        var end: ContinuousClock.Instant?
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            try active.send("?")
            #expect(try active.receive(exactly: 1) == [0x3F])
            if end == nil, try idle.receiveNow() == [] { end = .now + .seconds(1) }
        }
        #expect(ContinuousClock.now - beginning >= .seconds(2))
        #expect(try daemon.status().totals.active == 1)
    }

    @Test("a client that takes nothing any more is ended by idle")
    func endsStalled() throws {
        let daemon = try TestDaemon(serving("chargen", timeouts(#""idle": "300ms""#)))
        let client = try daemon.connect(to: "chargen")
        #expect(try client.receive(exactly: 1000) == characterPattern(1000))
        try daemon.waitForNoSession()
    }

    @Test("a connection with one way ended is ended by halfClosed")
    func endsHalfClosed() throws {
        let daemon = try TestDaemon(serving("daytime", timeouts(#""halfClosed": "300ms""#)))
        let address = try daemon.address(of: "daytime")
        let beginning = ContinuousClock.now
        let client = try Client(address: address)
        #expect(try !client.receiveToEnd().isEmpty)
        #expect(try daemon.sessions().map(\.state) == [.halfClosed])
        try daemon.waitForNoSession()
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
    }

    @Test("a client of chargen that has ended its way is ended by halfClosed")
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

    /// Sends a byte; returns whether it came back before the connection ended.
    private func isAnswered(_ client: borrowing Client) throws -> Bool {
        do throws(Errno) {
            try client.send("?")
            return try !client.receive().isEmpty
        } catch {
            // The byte was on its way when the daemon closed.
            if error == .connectionReset || error == .brokenPipe { return false }
            throw error
        }
    }

    @Test("lifetime ends a session whatever it does")
    func endsOld() throws {
        let daemon = try TestDaemon(serving("echo", timeouts(#""lifetime": "500ms""#)))
        let address = try daemon.address()
        let beginning = ContinuousClock.now
        let client = try Client(address: address)
        var answers = 0
        while try isAnswered(client) { answers += 1 }
        #expect(ContinuousClock.now - beginning >= .milliseconds(500))
        #expect(answers > 0)
        try daemon.waitForNoSession()
    }
}
#endif
