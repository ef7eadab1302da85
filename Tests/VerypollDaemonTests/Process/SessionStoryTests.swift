internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("The story of a session in the log")
struct SessionStoryLogTests {
    /// Starts a daemon that proxies to servers, and logs in JSON.
    private func proxy(to servers: [String], _ keys: String = "") throws -> TestDaemon {
        try TestDaemon(
            proxying(),
            more: TestDaemon.loggingJSON + upstreams(upstream(servers, keys))
        )
    }

    @Test("a client that ends its connection closed first, and its path and sizes are told")
    func ends() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try proxy(to: [server.address])
        do {
            let client = try daemon.connect(to: "front")
            _ = try client.ask()
        }
        let entry = try daemon.sessionEnd("completed")
        #expect(entry["closed_by"] == "client")
        #expect(entry["listener"] == "front")
        #expect(entry["upstream"] == "app")
        #expect(entry["server"] == server.address)
        #expect(entry.number("bytes_in") == 4)
        #expect(entry.number("bytes_out") ?? 0 > 4)
        #expect(entry.number("retries") == 0)
        #expect(entry.number("connect_usec") ?? 0 > 0)
        #expect(entry.number("queue_usec") == 0)
        #expect(entry.message.contains("-> front -> app/\(server.address), 4 bytes in, "))
        #expect(entry.message.hasSuffix(", client closed first"))
        try daemon.waitForMetrics(
            #"verypolld_sessions_ended_total{listener="front",reason="completed"} 1"#
        )
    }

    @Test("a client that resets its connection is told apart from one that ends it")
    func resets() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try proxy(to: [server.address])
        let client = try daemon.connect(to: "front")
        _ = try client.ask()
        try client.reset()
        let entry = try daemon.sessionEnd("client_reset")
        #expect(entry["closed_by"] == "client")
        #expect(entry["reason"] == "Connection reset by peer")
    }

    @Test("a server that dies closed first, and its error is counted")
    func serverDies() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try proxy(to: [server.address])
        let client = try daemon.connect(to: "front")
        _ = try client.ask()
        try server.kill()
        let entry = try daemon.sessionEnd("server_reset")
        #expect(entry["closed_by"] == "server")
        #expect(entry["server"] == server.address)
        let labels = #"{upstream="app",server="\#(server.address)",kind="reset"}"#
        try daemon.waitForMetrics("verypolld_upstream_errors_total\(labels) 1")
        withExtendedLifetime(client) {}
    }

    @Test("attempts at a server that refuses are counted as retries and as its errors")
    func retries() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let dead = "127.0.0.1:\(try reservedPort())"
        let daemon = try TestDaemon(
            proxying(),
            more: TestDaemon.loggingJSON + """
                "upstreams": {"app": {"servers": ["\(dead)",
                    {"address": "\(server.address)", "backup": true}]}},
                """
        )
        do {
            let client = try daemon.connect(to: "front")
            _ = try client.ask()
        }
        let entry = try daemon.sessionEnd("completed")
        #expect(entry.number("retries") == 1)
        #expect(entry["server"] == server.address)
        let labels = #"{upstream="app",server="\#(dead)",kind="connect_refused"}"#
        try daemon.waitForMetrics(
            "verypolld_upstream_errors_total\(labels) 1",
            #"verypolld_upstream_retries_total{upstream="app"} 1"#
        )
    }

    @Test("a session that waited in the queue is in the histogram of the waits")
    func queues() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try proxy(to: [server.address], #", "maxSessions": 1"#)
        let first = try daemon.connect(to: "front")
        _ = try first.ask()
        let second = try daemon.connect(to: "front")
        try eventually("the wait") { try daemon.status().upstreams[0].waiting == 1 }
        try first.reset()
        _ = try second.ask()
        try daemon.waitForMetrics(
            #"verypolld_upstream_queue_wait_seconds_count{upstream="app"} 1"#
        )
    }

    @Test("drained and killed sessions were closed by the daemon")
    func obeys() throws {
        let daemon = try TestDaemon(serving("echo"), more: TestDaemon.loggingJSON)
        let killed = try daemon.connect()
        try expectEcho("killed", from: killed)
        let id = try #require(try daemon.sessions().first).id
        try daemon.order("KillSession", #"{"id": \#(id)}"#)
        var entry = try daemon.sessionEnd("killed")
        #expect(entry["closed_by"] == "daemon")
        #expect(entry.number("session") == id)

        let drained = try daemon.connect()
        try expectEcho("drained", from: drained)
        try daemon.order("Drain", #"{"listener": "echo", "deadline": "0s"}"#)
        entry = try daemon.sessionEnd("drained")
        #expect(entry["closed_by"] == "daemon")
        withExtendedLifetime((Held(killed), Held(drained))) {}
    }

    @Test("with a PROXY header, the client is the header's, and the sender is beside it")
    func namesSender() throws {
        let daemon = try TestDaemon(
            serving("echo", #", "proxyProtocol": {"from": ["127.0.0.1"]}"#),
            more: TestDaemon.loggingJSON
        )
        do {
            let client = try daemon.connect()
            try client.send("PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\r\n")
            try expectEcho("hello", from: client)
        }
        let entry = try daemon.sessionEnd("completed")
        #expect(entry["peer"] == "203.0.113.9:4711")
        let sender = try #require(entry["proxy_sender"])
        #expect(sender.hasPrefix("127.0.0.1:"))
        #expect(entry.message.contains("; 203.0.113.9:4711 via \(sender) -> echo, "))
    }

    @Test("a session that is kept over a restart keeps its story")
    func survives() throws {
        let manager = try ServiceManager()
        let server = try LineServer("app")
        defer { try? server.end() }
        var daemon = try TestDaemon(
            proxying(#", "proxyProtocol": {"from": ["127.0.0.1"]}"#),
            more: #""restart": {"keepSessions": true},"# + TestDaemon.loggingJSON
                + upstreams(upstream([server.address])),
            manager: manager
        )
        do {
            let client = try daemon.connect(to: "front")
            try client.send("PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\r\n")
            _ = try client.ask()
            let id = try #require(try daemon.sessions().first).id
            try daemon.stop(forRestart: true)
            #expect(try daemon.program.waitForExit() == .code(0))
            let handedOver = try daemon.sessionEnd("handed_over")
            #expect(handedOver.number("session") == id)
            let connectTime = handedOver.number("connect_usec")
            try daemon.start()
            try daemon.program.waitForStandardError(containing: "is ready")
            _ = try client.ask()
            try client.finishSending()
            let entry = try daemon.sessionEnd("completed")
            #expect(entry.number("session") == id)
            #expect(entry.number("restarts") == 1)
            #expect(entry.number("connect_usec") == connectTime)
            #expect(entry["proxy_sender"] == handedOver["proxy_sender"])
            #expect(entry["peer"] == "203.0.113.9:4711")
            #expect(entry["server"] == server.address)
            #expect(entry.number("bytes_in") == 8)
            #expect(entry.message.contains(", kept over 1 restart, "))
        }
        try manager.end()
    }
}
