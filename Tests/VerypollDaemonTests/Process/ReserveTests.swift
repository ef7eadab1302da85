internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Descriptors and session slots reserved for operators")
struct ReserveTests {
    /// Scrapes over a new connection.
    private func scrape(_ address: String) throws -> String {
        var peer = HTTPPeer(try Client(address: address))
        let reply = try #require(try peer.ask(HTTPPeer.get))
        #expect(reply.status == 200)
        return reply.body
    }

    /// Sets a process's soft limit of descriptors.
    private func limit(_ daemon: borrowing TestDaemon, to count: Int) throws {
        let result = try Program.run(
            "prlimit",
            ["--pid", "\(daemon.program.processID)", "--nofile=\(count):"]
        )
        #expect(result.exit == .code(0), "\(result)")
    }

    /// Returns the lowest free descriptor number, which the next descriptor would get.
    private func lowestFreeNumber(of daemon: borrowing TestDaemon) throws -> Int {
        let path = "/proc/\(daemon.program.processID)/fd/"
        return try #require((0..<10_000).first { unsafe access(path + "\($0)", F_OK) != 0 })
    }

    /// Leaves the daemon without a free descriptor.
    ///
    /// - Returns: Clients of the listener `echo`, at least one of which waits for a descriptor.
    private func exhaust(_ daemon: borrowing TestDaemon) throws -> [Held] {
        let address = try daemon.address()
        try limit(daemon, to: try lowestFreeNumber(of: daemon))
        // The first of these clients use the descriptors that the daemon was about to close.
        let clients = try (0..<5).map { _ in Held(try Client(address: address)) }
        for client in clients { try client.client.send("echo") }
        try daemon.program.waitForStandardError(containing: "out of file descriptors or memory")
        return clients
    }

    @Test("with no descriptor left, status, scrapes and reloads are still answered repeatedly")
    func answersWithoutDescriptors() throws {
        let daemon = try TestDaemon(serving("echo"), serving("metrics"))
        let address = try daemon.address()
        let metrics = try daemon.address(of: "metrics")
        var clients: [Held] = []
        for _ in 0..<8 {
            let client = try Client(address: address)
            try expectEcho(from: client)
            clients.append(Held(client))
        }
        let waiting = try exhaust(daemon)

        for round in 0..<20 {
            #expect(try daemon.status().totals.active >= 8, "\(round)")
            let text = try scrape(metrics)
            #expect(text.contains("process_open_fds "), "\(round)")
            #expect(!text.contains("process_open_fds 0\n"), "\(round)")
        }
        try daemon.rewrite(
            serving("echo", ", \"maxSessions\": 1000"),
            serving("metrics"),
            more: #""log": {"sessions": true},"#
        )
        #expect(try daemon.reload() == ["/listeners/echo/maxSessions", "/log/sessions"])
        for client in clients { try expectEcho(from: client.client) }

        // The reserve has been restored, so all of it works once more.
        try limit(daemon, to: 10_000)
        for held in waiting {
            #expect(try held.client.receive(exactly: 4) == Array("echo".utf8))
        }
        let others = try exhaust(daemon)
        defer { withExtendedLifetime(others) {} }
        for _ in 0..<20 {
            _ = try daemon.status()
            _ = try scrape(metrics)
        }
    }

    @Test("a scrape is answered although sessions have used up the limit")
    func answersWhenFull() throws {
        let daemon = try TestDaemon(
            serving("echo"),
            serving("metrics", ", \"maxSessions\": 15"),
            serving("metrics", as: "other"),
            more: #""limits": {"maxSessions": 20},"#
        )
        let (echo, metrics) = (try daemon.address(), try daemon.address(of: "metrics"))
        var clients: [Held] = []
        for _ in 0..<20 {
            let client = try Client(address: echo)
            try expectEcho(from: client)
            clients.append(Held(client))
        }
        let waiting = try Client(address: echo)
        try waiting.send("echo")
        try eventually("the listener to pause") {
            try daemon.status(of: "echo").state == .paused
        }
        #expect(try scrape(metrics).contains("verypolld_max_sessions 20\n"))

        // The listener's own limit applies first, and then the reserve of all metrics listeners.
        var scrapers: [Held] = []
        for _ in 0..<15 {
            var peer = HTTPPeer(try Client(address: metrics))
            #expect(try peer.ask(HTTPPeer.get)?.status == 200)
            scrapers.append(Held(peer.give()))
        }
        let late = try Client(address: metrics)
        try late.send(HTTPPeer.get)
        try eventually("the metrics listener to pause") {
            try daemon.status(of: "metrics").state == .paused
        }
        let reason = try daemon.status(of: "metrics").stateReason
        #expect(reason == "the limit of 15 sessions is reached")
        try eventually("the workers to wait while both listeners are paused") {
            try daemon.status().workers.map(\.polls) == daemon.status().workers.map(\.polls)
        }
        let other = try daemon.address(of: "other")
        var last = HTTPPeer(try Client(address: other))
        #expect(try last.ask(HTTPPeer.get)?.status == 200)
        let refused = try Client(address: other)
        try refused.send(HTTPPeer.get)
        try eventually("the other metrics listener to pause") {
            try daemon.status(of: "other").state == .paused
        }
        #expect(try daemon.status().totals.active == 36)
        #expect(try waiting.receiveNow() == nil)

        // Waiting scrapers are served as others leave.
        scrapers.removeAll()
        #expect(try late.receive(exactly: 12) == Array("HTTP/1.1 200".utf8))
        #expect(try refused.receive(exactly: 12) == Array("HTTP/1.1 200".utf8))
        clients.removeAll()
        #expect(try waiting.receive(exactly: 4) == Array("echo".utf8))
    }

    @Test("with no descriptor left, systemd still gets the watchdog and status notifications")
    func notifiesWithoutDescriptors() throws {
        let manager = try NotificationSocket()
        let daemon = try TestDaemon(
            serving("echo"),
            launcher: ["env", "NOTIFY_SOCKET=\(manager.path)", "WATCHDOG_USEC=2000000"]
        )
        let waiting = try exhaust(daemon)
        var status = ""
        while !status.contains("echo paused: out of file descriptors") {
            status = try manager.receive(until: "STATUS=")
        }
        for _ in 0..<2 { #expect(try manager.receive(until: "WATCHDOG=") == "WATCHDOG=1") }
        withExtendedLifetime(waiting) {}
    }

    @Test("with no descriptor left, a new control client replaces the longest idle one")
    func evictsIdleClients() throws {
        let daemon = try TestDaemon(serving("echo"))
        let waiting = try exhaust(daemon)
        defer { withExtendedLifetime(waiting) {} }
        var idle: [Held] = []
        for _ in 0..<8 {
            var peer = try ControlPeer(path: daemon.controlPath)
            let _: Status = try peer.result("io.verypoll.Daemon.GetStatus")
            idle.append(Held(peer.give()))
        }
        #expect(try daemon.status().state == .running)
        #expect(try idle[0].client.receiveToEnd() == [])
    }
}
