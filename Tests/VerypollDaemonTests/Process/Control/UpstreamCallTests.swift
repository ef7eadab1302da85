internal import Glibc
internal import TestSupport
internal import Testing
internal import Verypoll
internal import VerypollControl

@Suite("Control socket: upstreams")
struct UpstreamCallTests {
    private func upstreams(of daemon: borrowing TestDaemon) throws -> [Status.Upstream] {
        var peer = try ControlPeer(path: daemon.controlPath)
        let list: UpstreamList = try peer.result("io.verypoll.Daemon.ListUpstreams")
        return list.upstreams
    }

    @Test("status, log and ListUpstreams report checked servers going down and up")
    func tellsOfChecks() throws {
        let port = try reservedPort()
        let daemon = try TestDaemon(
            serving("echo", listen: "127.0.0.1:0 unix:DIR/echo"),
            more: """
                "upstreams": {"app": {
                    "servers": ["127.0.0.1:\(port)", {"address": "unix:DIR/echo", "weight": 3}],
                    "check": {"interval": "10ms", "fall": 1, "rise": 1}
                }},
                """
        )
        let echo = "unix:" + daemon.directory.appending("echo")
        try eventually("the server to go down") {
            try upstreams(of: daemon)[0].servers.map(\.state) == [.down, .up]
        }
        let status = try daemon.status()
        #expect(status.note == "upstream app: 1 of 2 servers up")
        #expect(status.upstreams.map(\.name) == ["app"])
        let servers = status.upstreams[0].servers
        #expect(servers.map(\.address) == ["127.0.0.1:\(port)", echo])
        #expect(servers.map(\.stateReason) == ["Connection refused", nil])
        #expect(servers.map(\.weight) == [1, 3])
        #expect(servers[0].stateTimestampUSec >= status.startTimestampUSec)
        try daemon.program.waitForStandardError(
            containing: "127.0.0.1:\(port) is down: Connection refused"
        )

        let listener = try TCPListener(binding: .loopback(port: port))
        defer { withExtendedLifetime(listener) {} }
        try eventually("the server to come up") {
            try upstreams(of: daemon)[0].servers.map(\.state) == [.up, .up]
        }
        #expect(try daemon.status().note == nil)
        try daemon.program.waitForStandardError(containing: "127.0.0.1:\(port) is up again")
    }

    @Test("a server that sessions cannot reach is ejected, without an effect on sessions")
    func tellsOfEjections() throws {
        let port = try reservedPort()
        let daemon = try TestDaemon(
            serving("echo", listen: "unix:DIR/echo"),
            """
            "web": {"listen": ["127.0.0.1:0"], "handler": {"type": "proxy", "upstream": "app"}}
            """,
            more: """
                "upstreams": {"app": {
                    "servers": ["127.0.0.1:\(port)", "unix:DIR/echo"],
                    "passive": {"fall": 2, "for": "1h"}
                }},
                """
        )
        for _ in 0..<8 {
            let client = try daemon.connect(to: "web")
            try client.send("12345")
            #expect(try client.receive(exactly: 5) == Array("12345".utf8))
            try client.finishSending()
            #expect(try client.receiveToEnd() == [])
        }
        try daemon.waitForNoSession()
        try daemon.program.waitForStandardError(
            containing: "127.0.0.1:\(port) is ejected for 1h: sessions could not connect to it"
        )
        // A session is removed from its listener before it is removed from its server.
        let upstream = try eventually("the upstream to be empty") { () -> Status.Upstream? in
            let upstream = try upstreams(of: daemon)[0]
            return upstream.active == 0 && upstream.servers[1].active == 0 ? upstream : nil
        }
        #expect(upstream.servers.map(\.state) == [.ejected, .up])
        #expect(upstream.servers.map(\.failures) == [2, 0])
        #expect(upstream.servers.map(\.sessions) == [0, 8])
        #expect(upstream.servers.map(\.active) == [0, 0])
        #expect(upstream.servers.map(\.bytesIn) == [0, 40])
        #expect(upstream.servers.map(\.bytesOut) == [0, 40])
    }

    @Test("names are resolved, and an unresolvable one delays neither start nor stop")
    func tellsOfNames() throws {
        let daemon = try TestDaemon(
            serving("echo"),
            more: """
                "upstreams": {"app": {"servers": ["localhost:9", "nowhere.invalid:9"]}},
                """
        )
        try eventually("localhost to be resolved") {
            try upstreams(of: daemon)[0].servers[0].state == .up
        }
        let servers = try upstreams(of: daemon)[0].servers
        #expect(servers[0].resolvedAddresses.contains { ["127.0.0.1:9", "[::1]:9"].contains($0) })
        #expect(servers[1].state == .unresolved)
        #expect(servers[1].stateReason != nil)
        #expect(servers[1].resolvedAddresses == [])
        try daemon.program.waitForStandardError(containing: "localhost:9 is at ")
        try daemon.program.send(SIGTERM)
        #expect(try daemon.program.waitForExit() == .code(0))
    }
}
