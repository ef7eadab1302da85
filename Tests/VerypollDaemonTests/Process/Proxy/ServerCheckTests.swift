internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("Health checks of servers")
struct ServerCheckTests {
    /// Two servers that are checked by their names, and a daemon in front of them.
    private struct Lab: ~Copyable {
        let first: LineServer
        let second: LineServer
        let daemon: TestDaemon
        let address: String

        /// Starts the servers and the daemon.
        ///
        /// - Parameters:
        ///   - keys: Further members of the upstream, each preceded by a comma.
        ///   - more: Further members of the configuration, each followed by a comma.
        /// - Throws: ``TimedOut`` with the daemon's output, if it does not become ready.
        init(_ keys: String = "", more: String = "") throws {
            let (first, second) = (try LineServer("app-1"), try LineServer("app-2"))
            // Passive checks must not influence these tests.
            let member = upstream(
                [first.address, second.address],
                #"""
                , "check": {"interval": "50ms", "timeout": "500ms", "rise": 2, "fall": 3,
                "send": "who\n", "expect": "app-"}, "passive": {"fall": 1000}
                """# + keys
            )
            let daemon = try TestDaemon(proxying(), more: upstreams(member) + more)
            address = try daemon.address(of: "front")
            self.daemon = daemon
            self.first = first
            self.second = second
        }

        deinit {
            for server in [first, second] { try? server.end() }
        }

        /// Waits until the log contains `what` about the first server `times` times.
        func waitForFirst(_ what: String, times: Int = 1) throws {
            try eventually("the first server: \(what)") {
                let said = try daemon.program.standardError.split(separator: "\n")
                return said.count { $0.contains("\(first.address) is \(what)") } == times
            }
        }

        func connect() throws -> Client { try Client(address: address) }

        /// Opens a session on the first server.
        func connectToFirst() throws -> Held {
            let held = Held(try connect())
            return try held.client.ask() == "app-1" ? held : try connectToFirst()
        }
    }

    @Test("a server that is down gets no sessions, and fails none, until it is up again")
    func findsDown() throws {
        let lab = try Lab()
        let address = lab.address
        let traffic = Traffic { () throws(Errno) in try Client(address: address) }
        try traffic.run {
            for round in 1...2 {
                try lab.first.kill()
                try lab.waitForFirst("down", times: round)
                for _ in 0..<50 { #expect(try lab.connect().ask() == "app-2") }
                traffic.beginPeriod()
                try traffic.wait("the second to serve") { $0.fresh["app-2", default: 0] >= 50 }
                #expect(traffic.tally.fresh["app-1"] == nil)
                try lab.first.restart()
                try lab.waitForFirst("up again", times: round)
                traffic.beginPeriod()
                try traffic.wait("both to serve") {
                    $0.fresh["app-1", default: 0] >= 50 && $0.fresh["app-2", default: 0] >= 50
                }
            }
        }
        let failures = traffic.failures
        // These connections were on the first server when it was killed, as far as that is known.
        #expect(failures.allSatisfy { $0.server != "app-2" }, "\(failures)")
        #expect(failures.count { $0.server == nil } <= 2 * (Traffic.freshThreadCount + 1))
    }

    @Test("if all servers are down, a client is reset without trying any of them")
    func refusesWithoutServers() throws {
        let lab = try Lab()
        for server in [lab.first, lab.second] { server.name = "ill" }
        try lab.waitForFirst("down")
        try lab.daemon.program.waitForStandardError(containing: "\(lab.second.address) is down")
        for _ in 0..<20 {
            // The reset may arrive before the client sees its connect complete.
            #expect(throws: Errno.connectionReset) { _ = try lab.connect().receive() }
        }
        lab.first.name = "app-1"
        try lab.waitForFirst("up again")
        for _ in 0..<20 { #expect(try lab.connect().ask() == "app-1") }
    }

    @Test("a server with an unexpected answer gets no sessions")
    func expectsAnswer() throws {
        let lab = try Lab()
        lab.first.name = "ill"
        try lab.waitForFirst("down")
        for _ in 0..<50 { #expect(try lab.connect().ask() == "app-2") }
        lab.first.name = "app-1"
        try lab.waitForFirst("up again")
        #expect(Set(try (0..<4).map { _ in try lab.connect().ask() }) == ["app-1", "app-2"])
    }

    @Test("with whenDown keep, live sessions of a down server stay open")
    func keepsSessions() throws {
        let lab = try Lab(#", "whenDown": "keep""#, more: #""drain": {"deadline": "1ms"},"#)
        let live = try lab.connectToFirst()
        lab.first.name = "ill"
        try lab.waitForFirst("down")
        for _ in 0..<50 { #expect(try lab.connect().ask() == "app-2") }
        #expect(try live.client.ask() == "ill")
    }

    @Test("with whenDown close, live sessions of a down server are reset at once")
    func closesSessions() throws {
        let lab = try Lab(#", "whenDown": "close""#)
        let live = try (0..<20).map { _ in try lab.connectToFirst() }
        let other = Held(try lab.connect())
        #expect(try other.client.ask() == "app-2")
        lab.first.name = "ill"
        for held in live {
            #expect(throws: Errno.connectionReset) { _ = try held.client.receive() }
        }
        #expect(try other.client.ask() == "app-2")
    }

    @Test("with whenDown drain, live sessions of a down server have until drain.deadline")
    func drainsSessions() throws {
        let lab = try Lab(#", "whenDown": "drain""#, more: #""drain": {"deadline": "700ms"},"#)
        let live = try (0..<20).map { _ in try lab.connectToFirst() }
        let other = Held(try lab.connect())
        #expect(try other.client.ask() == "app-2")
        let begin = ContinuousClock.now
        lab.first.name = "ill"
        try lab.waitForFirst("down")
        for held in live {
            #expect(throws: Errno.connectionReset) { _ = try held.client.receive() }
        }
        #expect(ContinuousClock.now - begin >= .milliseconds(700))
        #expect(try other.client.ask() == "app-2")
    }
}
