internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Session limits")
struct SessionLimitTests {
    /// Returns a client that has sent a byte, and may have to wait for its echo.
    private func ask(_ address: String) throws -> Held {
        let client = try Client(address: address)
        try client.send("?")
        return Held(client)
    }

    /// Returns whether a client's byte has been echoed.
    private func isServed(_ held: Held) throws -> Bool {
        try held.client.receiveNow() != nil
    }

    @Test(
        "a full listener that pauses keeps clients waiting, and serves them as others leave",
        arguments: [1, 2]
    )
    func pauses(workers: Int) throws {
        let daemon = try TestDaemon(
            serving("echo", #", "maxSessions": 5, "whenFull": "pause""#),
            workers: workers
        )
        let address = try daemon.address()
        var waiting = try (0..<20).map { _ in try ask(address) }
        defer { withExtendedLifetime(waiting) {} }
        var served: [Held] = []
        defer { withExtendedLifetime(served) {} }
        for round in 1...4 {
            try eventually("5 clients to be served in round \(round)") {
                let answered = try waiting.filter(isServed)
                waiting.removeAll { held in answered.contains { $0 === held } }
                served += answered
                return served.count == 5
            }
            #expect(try daemon.status(of: "echo").active == 5)
            try daemon.waitForTotals("5 sessions a round") { $0.accepted == 5 * round }
            if round < 4 {
                try eventually("the listener to pause") {
                    try daemon.status(of: "echo").state == .paused
                }
                let reason = try daemon.status(of: "echo").stateReason
                #expect(reason == "the limit of 5 sessions is reached")
                // No other client is served while these stay.
                #expect(try !waiting.contains(where: isServed))
            }
            served = []
        }
        try daemon.waitForNoSession()
        // A paused worker has not yet seen that there is room.
        try eventually("the listener to accept") {
            try daemon.status(of: "echo").state == .accepting
        }
        let status = try daemon.status(of: "echo")
        #expect(status.rejected == 0)
        #expect(status.stateReason == nil)
    }

    @Test("a full listener that rejects resets clients, and counts them", arguments: [1, 2])
    func rejects(workers: Int) throws {
        let daemon = try TestDaemon(
            serving("echo", #", "maxSessions": 3, "whenFull": "reject""#),
            workers: workers
        )
        let address = try daemon.address()
        do {
            let served = try (0..<3).map { _ in try ask(address) }
            defer { withExtendedLifetime(served) {} }
            for held in served { #expect(try held.client.receive(exactly: 1) == [0x3F]) }
            for _ in 0..<10 {
                // The reset may arrive before the client sees its connect complete.
                #expect(throws: Errno.connectionReset) {
                    _ = try Client(address: address).receive()
                }
            }
            try daemon.waitForTotals("10 rejections") { $0.rejected == 10 && $0.accepted == 3 }
            let status = try daemon.status(of: "echo")
            #expect(status.accepted == 3)
            #expect(status.active == 3)
            #expect(status.state == .accepting)
            #expect(status.maxSessions == 3)
            for held in served {
                try held.client.send("!")
                #expect(try held.client.receive(exactly: 1) == [0x21])
            }
        }
        try daemon.waitForNoSession()
        let held = try ask(address)
        defer { withExtendedLifetime(held) {} }
        #expect(try held.client.receive(exactly: 1) == [0x3F])
    }

    @Test("a listener that rejects turns no client away while there is room")
    func rejectsNobodyEarly() throws {
        let daemon = try TestDaemon(
            serving("echo", #", "maxSessions": 2, "whenFull": "reject""#),
            workers: 4
        )
        let address = try daemon.address()
        // After each connection, a worker tries to accept another; that must not take a client's
        // slot.
        for _ in 0..<500 {
            do {
                let pair = try [ask(address), ask(address)]
                defer { withExtendedLifetime(pair) {} }
                for held in pair { #expect(try held.client.receive(exactly: 1) == [0x3F]) }
            }
            try daemon.waitForNoSession()
        }
        #expect(try daemon.status(of: "echo").rejected == 0)
    }

    @Test("the limit of all sessions applies across two listeners", arguments: [1, 2])
    func limitsAll(workers: Int) throws {
        let daemon = try TestDaemon(
            serving("echo", as: "left"),
            serving("echo", as: "right", #", "whenFull": "reject""#),
            more: #""limits": {"maxSessions": 4},"#,
            workers: workers
        )
        let (left, right) = (try daemon.address(of: "left"), try daemon.address(of: "right"))
        var first = try [ask(left), ask(right), ask(left), ask(right)]
        defer { withExtendedLifetime(first) {} }
        for held in first { #expect(try held.client.receive(exactly: 1) == [0x3F]) }
        // One client waits, and the other is turned away.
        let waiting = try ask(left)
        defer { withExtendedLifetime(waiting) {} }
        #expect(throws: Errno.connectionReset) { _ = try Client(address: right).receive() }
        try eventually("the listener to pause") {
            try daemon.status(of: "left").state == .paused
        }
        try daemon.waitForTotals("a rejection") { $0.rejected == 1 }
        let status = try daemon.status()
        #expect(status.totals.active == 4)
        #expect(status.totals.maxSessions == 4)
        #expect(status.note == "left paused: the limit of 4 sessions in all is reached")
        #expect(try !isServed(waiting))
        // A session of the other listener ends, and a waiting client takes its slot.
        first.remove(at: 1)
        #expect(try waiting.client.receive(exactly: 1) == [0x3F])
        #expect(try daemon.status().totals.active == 4)
    }

    @Test("a limit that is reached again and again loses no client")
    func survivesChurn() throws {
        let daemon = try TestDaemon(
            serving("echo", #", "maxSessions": 3"#),
            more: #""limits": {"maxSessions": 7},"#
        )
        var crowd = EchoCrowd(address: try daemon.address(), clientCount: 2000, sizes: 1...2000)
        crowd.concurrency = 50
        let outcome = try crowd.run()
        #expect(outcome.failures == [])
        #expect(outcome.completed == 2000)
        try daemon.waitForNoSession()
    }

    @Test("with reusePort, every worker has its own socket, and all of them serve")
    func usesOneSocketPerWorker() throws {
        let daemon = try TestDaemon(
            serving("echo", #", "socket": {"reusePort": true}"#),
            workers: 3
        )
        #expect(try daemon.status(of: "echo").addresses.count == 1)
        let address = try daemon.address()
        let clients = try (0..<200).map { _ in try ask(address) }
        defer { withExtendedLifetime(clients) {} }
        for held in clients { #expect(try held.client.receive(exactly: 1) == [0x3F]) }
        // Each worker publishes its session count at the end of its turn.
        try eventually("the workers to have 200 sessions") {
            try daemon.status().workers.reduce(0) { $0 + $1.sessions } == 200
        }
        let status = try daemon.status()
        #expect(status.totals.active == 200)
        // The kernel spreads connections by a hash; the probability that one of three workers gets
        // none of 200 is negligible.
        #expect(!status.workers.contains { $0.sessions == 0 })
        #expect(Set(try daemon.sessions().map(\.worker)) == [0, 1, 2])
    }

    @Test("a listener's addresses share its limit")
    func sharesLimitAmongAddresses() throws {
        let daemon = try TestDaemon(
            serving(
                "echo",
                listen: "127.0.0.1:0 [::1]:0 unix:DIR/echo",
                #", "maxSessions": 3, "whenFull": "reject""#
            )
        )
        let addresses = try daemon.status(of: "echo").addresses.map(\.address)
        #expect(addresses.count == 3)
        let clients = try addresses.map(ask)
        defer { withExtendedLifetime(clients) {} }
        for held in clients { #expect(try held.client.receive(exactly: 1) == [0x3F]) }
        let late = try Client(address: addresses[2])
        #expect(try late.receive() == [])
        try daemon.waitForTotals("a rejection") { $0.rejected == 1 }
    }
}
