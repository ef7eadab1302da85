internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Settings of servers: limits and modes")
struct ServerSettingTests {
    /// Returns the upstream `app` whose servers have settings.
    private func app(_ servers: (LineServer, String)..., keys: String = "") -> String {
        let list = servers.map { #"{"address": "\#($0.0.address)"\#($0.1)}"# }
        return upstreams(#""app": {"servers": [\#(list.joined(separator: ", "))]\#(keys)}"#)
    }

    private func server(_ name: String, of daemon: borrowing TestDaemon) throws -> Status.Server {
        let servers = try daemon.status().upstreams[0].servers
        return try #require(servers.first { $0.address == name })
    }

    private func set(_ server: LineServer, _ state: String, in daemon: borrowing TestDaemon) throws
    {
        let setting = #"{"upstream": "app", "server": "\#(server.address)", "state": "\#(state)"}"#
        try daemon.order("SetServer", setting)
    }

    /// Ends a session, whose server then closes its connection as well.
    private func end(_ held: Held) throws {
        try held.client.finishSending()
        _ = try held.client.receiveToEnd()
    }

    /// Waits until a number of clients wait in the queue.
    private func awaitWaiting(_ count: Int, in daemon: borrowing TestDaemon) throws {
        try eventually("\(count) sessions in the queue") {
            try daemon.status().upstreams[0].waiting == count
        }
    }

    @Test("a client waits while all servers are at their limits, until a session ends anywhere")
    func waits() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let daemon = try TestDaemon(
            proxying(),
            more: app(
                (one, #", "maxSessions": 1"#),
                (two, #", "maxSessions": 1"#),
                keys: #", "connectTimeout": "1min""#
            )
        )
        let first = Held(try daemon.connect(to: "front"))
        let other = Held(try daemon.connect(to: "front"))
        let names = [try first.client.ask(), try other.client.ask()]
        #expect(Set(names) == ["one", "two"])
        #expect(try server(one.address, of: daemon).maxSessions == 1)
        // Enough clients that each worker has some.
        let waiting = try (0..<8).map { _ in Held(try daemon.connect(to: "front")) }
        try awaitWaiting(8, in: daemon)
        try end(first)
        try awaitWaiting(7, in: daemon)
        try end(other)
        try awaitWaiting(6, in: daemon)
        #expect(one.record.active == 1 && two.record.active == 1)
        // Each session ends as soon as it is served, and so admits the next one.
        for held in waiting {
            try held.client.send("x\n")
            try held.client.finishSending()
        }
        for held in waiting {
            let answer = String(decoding: try held.client.receiveToEnd(), as: UTF8.self)
            #expect(["one x\n", "two x\n"].contains(answer), "\(answer)")
        }
        try daemon.waitForNoSession()
        let status = try daemon.status().upstreams[0]
        #expect(status.waiting == 0 && status.active == 0)
        #expect(status.servers.map(\.active) == [0, 0])
    }

    @Test("a reload that raises a server's limit admits the clients that wait for it")
    func raises() throws {
        let one = try LineServer("one")
        defer { try? one.end() }
        let keys = #", "connectTimeout": "1min""#
        let daemon = try TestDaemon(
            proxying(),
            more: app((one, #", "maxSessions": 1"#), keys: keys)
        )
        let first = Held(try daemon.connect(to: "front"))
        #expect(try first.client.ask() == "one")
        let second = Held(try daemon.connect(to: "front"))
        try awaitWaiting(1, in: daemon)
        try daemon.rewrite(proxying(), more: app((one, #", "maxSessions": 2"#), keys: keys))
        try daemon.reload()
        #expect(try second.client.ask() == "one")
        // A lower limit ends no session.
        try daemon.rewrite(proxying(), more: app((one, #", "maxSessions": 1"#), keys: keys))
        try daemon.reload()
        #expect(try first.client.ask() == "one")
        #expect(try second.client.ask() == "one")
        let third = Held(try daemon.connect(to: "front"))
        try awaitWaiting(1, in: daemon)
        try end(first)
        try end(second)
        #expect(try third.client.ask() == "one")
    }

    @Test("a client that waits for a server in vain is reset, and counted as such")
    func givesUp() throws {
        let one = try LineServer("one")
        defer { try? one.end() }
        let daemon = try TestDaemon(
            proxying(),
            more: app((one, #", "maxSessions": 1"#), keys: #", "connectTimeout": "100ms""#)
        )
        let first = Held(try daemon.connect(to: "front"))
        #expect(try first.client.ask() == "one")
        let second = try daemon.connect(to: "front")
        #expect(throws: Errno.connectionReset) { _ = try second.receive() }
        var peer = try ControlPeer(path: daemon.controlPath)
        let text: MetricsText = try peer.result("io.verypoll.Daemon.GetMetrics")
        let line = #"verypolld_upstream_refused_total{upstream="app",reason="queue_timeout"} 1"#
        #expect(text.text.contains(line))
        #expect(text.text.contains("verypolld_server_max_sessions"))
    }

    // MARK: Modes

    @Test("a server begins in the mode of the file, and a reload changes the mode")
    func hasMode() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let keys = #", "whenDown": "close""#
        let daemon = try TestDaemon(
            proxying(),
            more: app((one, #", "state": "drain""#), (two, ""), keys: keys)
        )
        #expect(try server(one.address, of: daemon).mode == .drain)
        for _ in 0..<4 { #expect(try daemon.connect(to: "front").ask() == "two") }
        let live = Held(try daemon.connect(to: "front"))
        #expect(try live.client.ask() == "two")
        try daemon.rewrite(
            proxying(),
            more: app((one, ""), (two, #", "state": "down""#), keys: keys)
        )
        try daemon.reload()
        #expect(try server(one.address, of: daemon).mode == .up)
        #expect(try server(two.address, of: daemon).mode == .down)
        for _ in 0..<4 { #expect(try daemon.connect(to: "front").ask() == "one") }
        #expect(throws: Errno.connectionReset) { _ = try live.client.receive() }
        try daemon.program.waitForStandardError(
            containing: "\(two.address) is set to down by the configuration"
        )
    }

    @Test("a reload to drain ends the sessions of a server within drain.deadline")
    func drains() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let deadline = #""drain": {"deadline": "300ms"},"#
        let daemon = try TestDaemon(proxying(), more: app((one, ""), (two, "")) + deadline)
        let live = try (0..<2).map { _ in Held(try daemon.connect(to: "front")) }
        let names = try live.map { try $0.client.ask() }
        let index = try #require(names.firstIndex(of: "one"))
        try daemon.rewrite(
            proxying(),
            more: app((one, #", "state": "drain""#), (two, "")) + deadline
        )
        try daemon.reload()
        _ = live[index].client.receiveAll()
        #expect(try live[1 - index].client.ask() == "two")
    }

    @Test("a mode that an operator has set stays until a reload changes the file's value")
    func keepsOrder() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let daemon = try TestDaemon(
            proxying(),
            more: app((one, #", "state": "down""#), (two, ""))
        )
        try set(one, "up", in: daemon)
        #expect(try server(one.address, of: daemon).mode == .up)
        // Other changes, even of the conditions for ejections, keep the order.
        try daemon.rewrite(
            proxying(),
            more: app((one, #", "state": "down""#), (two, ""), keys: #", "passive": {"fall": 9}"#)
        )
        try daemon.reload()
        #expect(try server(one.address, of: daemon).mode == .up)
        try daemon.rewrite(
            proxying(),
            more: app((one, #", "state": "drain""#), (two, ""), keys: #", "passive": {"fall": 9}"#)
        )
        try daemon.reload()
        #expect(try server(one.address, of: daemon).mode == .drain)
    }

    @Test("a restart with a server set to drain ends the kept sessions within drain.deadline")
    func drainsKept() throws {
        let (one, two) = (try LineServer("one"), try LineServer("two"))
        defer { for server in [one, two] { try? server.end() } }
        let keys = #""restart": {"keepSessions": true}, "drain": {"deadline": "300ms"},"#
        let manager = try ServiceManager()
        var daemon = try TestDaemon(
            proxying(),
            more: app((one, ""), (two, "")) + keys,
            manager: manager
        )
        let live = try (0..<2).map { _ in Held(try daemon.connect(to: "front")) }
        let names = try live.map { try $0.client.ask() }
        let index = try #require(names.firstIndex(of: "one"))
        try daemon.rewrite(
            proxying(),
            more: app((one, #", "state": "drain""#), (two, "")) + keys
        )
        try daemon.restart()
        _ = live[index].client.receiveAll()
        #expect(try live[1 - index].client.ask() == "two")
        try manager.end()
    }

    @Test("a restart keeps the sessions of a limited server, which count against the limit")
    func restarts() throws {
        let one = try LineServer("one")
        defer { try? one.end() }
        let manager = try ServiceManager()
        var daemon = try TestDaemon(
            proxying(),
            more: app(
                (one, #", "maxSessions": 1, "state": "up""#),
                keys: #", "connectTimeout": "1min", "slowStart": "1min""#
            ) + #""restart": {"keepSessions": true},"#,
            manager: manager
        )
        let first = Held(try daemon.connect(to: "front"))
        #expect(try first.client.ask() == "one")
        let second = Held(try daemon.connect(to: "front"))
        try awaitWaiting(1, in: daemon)
        try daemon.restart()
        #expect(try first.client.ask() == "one")
        try end(first)
        #expect(try second.client.ask() == "one")
        try manager.end()
    }
}
