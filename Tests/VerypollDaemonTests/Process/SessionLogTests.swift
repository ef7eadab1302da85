internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("The log of a running daemon")
struct SessionLogProcessTests {
    /// The identifier of messages about refused clients.
    private static let refused = "88aeaa3b56dc4744bd8bd6f96f408128"

    /// The identifier of messages about killed sessions.
    private static let killed = "d634e4d3291443dea35f0fe2a930cb91"

    @Test("a listener can be silent, and one with metrics is unless it asks for the log")
    func silences() throws {
        let daemon = try TestDaemon(
            serving("echo", as: "quiet", #", "log": {"sessions": false}"#),
            serving("metrics"),
            serving("metrics", as: "read", #", "log": {"sessions": true}"#),
            serving("echo", as: "loud"),
            more: TestDaemon.loggingJSON
        )
        for name in ["quiet", "metrics", "read", "loud"] {
            do { _ = try daemon.connect(to: name) }
            try eventually("the session of \(name)") { try daemon.status(of: name).accepted == 1 }
            try daemon.waitForNoSession()
        }
        _ = try daemon.logEntry("the loud end") { $0["listener"] == "loud" }
        let ends = try daemon.logEntries.filter { $0["reason_code"] != nil }
        #expect(ends.compactMap { $0["listener"] } == ["read", "loud"])
    }

    @Test("a reload changes the format of the log and the listeners whose sessions are logged")
    func reloads() throws {
        let daemon = try TestDaemon(serving("echo"))
        #expect(try daemon.logEntries.isEmpty)
        try daemon.rewrite(
            serving("echo", #", "log": {"sessions": true}"#),
            more: #""log": {"format": "json"},"#
        )
        #expect(try daemon.reload() == ["/listeners/echo/log", "/log/format"])
        let entry = try daemon.logEntry("the reload") { $0.message.contains("is reloaded") }
        #expect(entry.number("changes") == 2)
        do { try expectEcho("hello", from: try daemon.connect()) }
        #expect(try daemon.sessionEnd("completed")["listener"] == "echo")

        try daemon.rewrite(serving("echo"))
        try daemon.reload()
        try daemon.program.waitForStandardError(containing: " notice the configuration is reloaded")
    }

    @Test("the numbers of sessions and callers are numbers in JSON")
    func logsNumbers() throws {
        let daemon = try TestDaemon(serving("echo"), more: TestDaemon.loggingJSON)
        let client = try daemon.connect()
        try expectEcho("hello", from: client)
        let id = try daemon.sessions()[0].id
        try daemon.order("KillSession", #"{"id": \#(id)}"#)
        try daemon.order("KillSessions", #"{"all": true}"#)
        let one = try daemon.logEntry("the kill") { $0.messageID == Self.killed }
        let none = try daemon.logEntry("the kill of all") { $0["criteria"] == "all" }
        #expect(one.number("session") == id)
        for (entry, count) in [(one, 1), (none, 0)] {
            #expect(entry.number("sessions") == count)
            #expect(entry.number("caller_uid") == Int(getuid()))
            #expect(entry.number("caller_pid") == Int(getpid()))
        }
    }

    @Test("clients that are refused are logged with the cause, and counted by cause")
    func tellsOfRefusals() throws {
        let daemon = try TestDaemon(
            serving("echo", as: "closed", #", "deny": ["127.0.0.0/8"]"#),
            serving("echo", as: "full", #", "maxSessions": 1, "whenFull": "reject""#),
            more: TestDaemon.loggingJSON
        )
        let held = try daemon.connect(to: "full")
        try expectEcho("first", from: held)
        for name in ["closed", "full"] {
            let address = try daemon.address(of: name)
            // The reset may arrive before the client sees its connect complete.
            #expect(throws: Errno.connectionReset) { _ = try Client(address: address).receive() }
        }
        for (name, cause) in [("closed", "access_rules"), ("full", "listener_limit")] {
            let entry = try daemon.logEntry("the refusal") { $0["cause"] == cause }
            #expect(entry["listener"] == name)
            #expect(entry.number("count") == 1)
            #expect(entry["peer"]?.hasPrefix("127.0.0.1:") == true)
            #expect(entry.messageID == Self.refused)
            let labels = #"{listener="\#(name)",cause="\#(cause)"}"#
            try daemon.waitForMetrics("verypolld_clients_refused_total\(labels) 1")
        }
        try expectEcho("last", from: held)
    }

    @Test("a listener that was paused is said to accept again")
    func tellsOfPauses() throws {
        let daemon = try TestDaemon(
            serving("echo", #", "maxSessions": 1"#),
            more: TestDaemon.loggingJSON
        )
        let first = try daemon.connect()
        try expectEcho("first", from: first)
        let second = try daemon.connect()
        let address = try daemon.address()
        let paused = try daemon.logEntry("the pause") {
            $0.message.hasPrefix("listener echo paused on \(address): the limit of 1 sessions")
        }
        #expect(paused["listener"] == "echo")
        try first.reset()
        try expectEcho("second", from: second)
        try second.reset()
        let resumed = try daemon.logEntry("the end of the pause") {
            $0.message.hasPrefix("listener echo accepts again on \(address) after ")
        }
        #expect(resumed.number("paused_msec") != nil)
    }

    @Test("the bytes of an open session are in the counters of its listener and its server")
    func countsLiveBytes() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try TestDaemon(proxying(), more: upstreams(upstream([server.address])))
        let client = try daemon.connect(to: "front")
        _ = try client.ask("who")
        let labels = #"{upstream="app",server="\#(server.address)"}"#
        try daemon.waitForMetrics(
            "verypolld_server_sent_bytes_total\(labels) 4",
            "verypolld_server_received_bytes_total\(labels) 8",
            "verypolld_server_active_sessions\(labels) 1",
            #"verypolld_listener_received_bytes_total{listener="front"} 4"#
        )
        withExtendedLifetime(client) {}
    }

    @Test("metrics tell of reloads, the hash of the configuration and the memory of the process")
    func tellsOfReloads() throws {
        let daemon = try TestDaemon(serving("echo"))
        let first = try #require(try daemon.status().configurationHash)
        try daemon.waitForMetrics(
            #"verypolld_reloads_total{result="applied"} 0"#,
            "verypolld_last_reload_successful 1",
            #"verypolld_configuration_info{hash="\#(first)"} 1"#
        )
        #expect(try daemon.status().lastReload == nil)
        try daemon.replace("{")
        #expect(try daemon.refusedReload().count == 1)
        try daemon.waitForMetrics(
            #"verypolld_reloads_total{result="refused"} 1"#,
            "verypolld_last_reload_successful 0",
            #"verypolld_configuration_info{hash="\#(first)"} 1"#
        )
        let refused = try #require(try daemon.status().lastReload)
        #expect(!refused.applied)
        #expect(refused.problems == 1)
        try daemon.rewrite(serving("echo", #", "maxSessions": 7"#))
        try daemon.reload()
        let status = try daemon.status()
        #expect(status.lastReload?.applied == true)
        #expect(status.lastReload?.changes == 1)
        #expect(status.configurationHash != first)
        try daemon.waitForMetrics(
            #"verypolld_reloads_total{result="applied"} 1"#,
            "verypolld_last_reload_successful 1"
        )
        let names = try daemon.metricLines().map { $0.prefix { $0 != " " } }
        #expect(names.contains("process_resident_memory_bytes"))
        #expect(names.contains("process_virtual_memory_bytes"))
    }
}
