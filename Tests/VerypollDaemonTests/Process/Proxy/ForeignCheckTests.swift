internal import Glibc
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Health checks of third-party servers")
struct ForeignCheckTests {
    /// Starts a daemon that checks a server often; one result is enough.
    private func daemon(checking server: String, _ keys: String) throws -> TestDaemon {
        let check = #"{"interval": "20ms", "timeout": "20s", "rise": 1, "fall": 1, \#(keys)}"#
        return try TestDaemon(
            proxying(),
            more: upstreams(upstream([server], #", "check": \#(check)"#))
        )
    }

    /// Waits for a result, and for as many checks as would make a server complain in its log.
    private func result(of daemon: borrowing TestDaemon) throws -> Status.Server {
        try eventually("several checks") {
            var peer = try ControlPeer(path: daemon.controlPath)
            let text: MetricsText = try peer.result("io.verypoll.Daemon.GetMetrics")
            return text.text.split(separator: "\n").contains { line in
                line.contains("verypolld_server_checks_total")
                    && (line.split(separator: " ").last.flatMap { Int($0) } ?? 0) >= 3
            }
        }
        return try daemon.status().upstreams[0].servers[0]
    }

    // MARK: Redis

    @Test("a redis-server is up, whether or not it demands a password", arguments: [false, true])
    func checksRedis(hasPassword: Bool) throws {
        let server =
            hasPassword
            ? try ForeignServer.redis("--requirepass", "secret") : try ForeignServer.redis()
        let daemon = try daemon(checking: server.address, #""type": "redis""#)
        let status = try result(of: daemon)
        #expect(status.state == .up)
        #expect(status.check == "redis")
        #expect(status.lastCheck?.succeeded == true)
    }

    @Test("a Redis replica that must not serve old data is down without its master")
    func checksReplica() throws {
        let master = try reservedPort()
        let server = try ForeignServer.redis(
            "--replicaof",
            "127.0.0.1",
            "\(master)",
            "--replica-serve-stale-data",
            "no"
        )
        let daemon = try daemon(checking: server.address, #""type": "redis""#)
        let status = try result(of: daemon)
        #expect(status.state == .down)
        #expect(status.stateReason?.contains("-MASTERDOWN ") == true, "\(status)")
    }

    // MARK: PostgreSQL

    @Test(
        "a PostgreSQL server is up and logs nothing, with or without a password",
        arguments: ["trust", "scram-sha-256"]
    )
    func checksPostgreSQL(authentication: String) throws {
        let server = try ForeignServer.postgreSQL(authentication: authentication)
        let before = try server.program.standardError
        let daemon = try daemon(checking: server.address, #""type": "postgresql""#)
        let status = try result(of: daemon)
        #expect(status.state == .up)
        #expect(status.check == "postgresql")
        #expect(try server.program.standardError == before)
    }

    @Test("a PostgreSQL server that recovers is down")
    func checksRecovery() throws {
        let server = try ForeignServer.postgreSQL(isRecovering: true)
        let daemon = try daemon(checking: server.address, #""type": "postgresql""#)
        let status = try result(of: daemon)
        #expect(status.state == .down)
        #expect(status.stateReason?.contains("SQLSTATE 57P03") == true, "\(status)")
    }

    // MARK: HTTP

    private func nginx() throws -> ForeignServer {
        try ForeignServer.nginx { port in
            """
            server {
                listen 127.0.0.1:\(port);
                location = / { return 200 "$http_host $http_user_agent"; }
                location = /ill { return 503; }
                location = /host { if ($http_host != "shop.example") { return 421; } return 204; }
            }
            """
        }
    }

    @Test(
        "the status of nginx's answer decides",
        arguments: [
            (#""type": "http""#, nil),
            (#""http": {"method": "HEAD"}"#, nil),
            (#""http": {"path": "/gone"}"#, "it answered with status 404"),
            (#""http": {"path": "/gone", "status": "404"}"#, nil),
            (#""http": {"path": "/ill"}"#, "it answered with status 503"),
            (#""http": {"path": "/host", "host": "shop.example"}"#, nil),
            (#""http": {"path": "/host"}"#, "it answered with status 421"),
        ]
    )
    func checksNGINX(keys: String, reason: String?) throws {
        let server = try nginx()
        let daemon = try daemon(checking: server.address, keys)
        let status = try result(of: daemon)
        #expect(status.state == (reason == nil ? .up : .down))
        #expect(status.stateReason == reason)
        #expect(status.check == "http")
        #expect(try !server.program.standardError.contains("client sent"))
    }

    @Test("a check connects to its own port, and another kind of server is down")
    func checksPort() throws {
        let nginx = try nginx()
        let redis = try ForeignServer.redis()
        let right = try daemon(
            checking: redis.address,
            #""type": "http", "port": \#(nginx.port)"#
        )
        #expect(try result(of: right).state == .up)
        let wrong = try daemon(checking: redis.address, #""type": "http""#)
        #expect(try result(of: wrong).state == .down)
        let connecting = try daemon(checking: redis.address, #""type": "connect""#)
        #expect(try result(of: connecting).state == .up)
    }

    @Test("binary bytes are sent, and the expected ones may follow others")
    func exchangesBytes() throws {
        let redis = try ForeignServer.redis()
        let daemon = try daemon(
            checking: redis.address,
            #""send": "hex:494e464f0d0a", "expect": "redis_version:""#
        )
        let status = try result(of: daemon)
        #expect(status.state == .up)
        #expect(status.check == "exchange")
    }
}
