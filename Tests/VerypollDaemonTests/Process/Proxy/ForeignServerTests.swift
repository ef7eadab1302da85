internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Third-party clients and servers through the proxy")
struct ForeignServerTests {
    /// Returns a listener's host and port as command-line arguments.
    private func words(_ address: String, _ host: String, _ port: String) -> [String] {
        let parts = address.split(separator: ":")
        return [host, String(parts[0]), port, String(parts[1])]
    }

    @Test("redis-benchmark gets every request answered by a redis-server")
    func servesRedis() throws {
        try requireProgram("redis-benchmark")
        let redis = try ForeignServer.redis()
        let daemon = try TestDaemon(proxying(), more: upstreams(upstream([redis.address])))
        let place = words(try daemon.address(of: "front"), "-h", "-p")
        let each = 2000
        let said = try run(
            "redis-benchmark",
            place + ["-n", "\(each)", "-c", "50", "-t", "set,get,lpush,mset", "--csv"]
                + ["-d", "1000", "-P", "4"]
        )
        for test in ["SET", "GET", "LPUSH", "MSET (10 keys)"] {
            #expect(said.contains("\"\(test)\","), "\(said)")
        }
        // Compare with the server's own count.
        let counted = try run("redis-cli", place + ["info", "commandstats"])
        for command in ["set", "get", "lpush", "mset"] {
            #expect(counted.contains("cmdstat_\(command):calls=\(each),"), "\(counted)")
        }
        let errors = try run("redis-cli", place + ["info", "errorstats"])
        #expect(!errors.contains("errorstat_"), "\(errors)")
        // Values that fill many buffers return unchanged.
        let large = try run("redis-cli", place + ["eval", "return string.rep('x', 3000000)", "0"])
        #expect(large.utf8.count == 3_000_001)
        try daemon.waitForNoSession()
    }

    @Test("pgbench's transactions reach PostgreSQL, over TCP and a Unix-domain socket")
    func servesPostgreSQL() throws {
        try requireProgram("pgbench")
        let server = try ForeignServer.postgreSQL()
        let daemon = try TestDaemon(
            proxying(to: "tcp", as: "tcp"),
            proxying(to: "unix", as: "unix", listen: "unix:DIR/.s.PGSQL.5432"),
            more: upstreams(
                upstream([server.address], #", "proxyProtocol": "off""#, as: "tcp"),
                upstream(
                    ["unix:\(server.directory.path)/.s.PGSQL.\(server.port)"],
                    as: "unix"
                )
            )
        )
        let user = ["-U", "postgres"]
        let tcp = words(try daemon.address(of: "tcp"), "-h", "-p") + user
        let unix = ["-h", daemon.directory.path, "-p", "5432"] + user
        try run("pgbench", tcp + ["-i", "-q", "postgres"])
        for (place, keys) in [(tcp, []), (unix, ["-n"]), (tcp, ["-n", "-C"])] {
            let said = try run("pgbench", place + keys + ["-c", "8", "-t", "25", "postgres"])
            #expect(said.contains("number of transactions actually processed: 200/200"), "\(said)")
            #expect(said.contains("number of failed transactions: 0 "), "\(said)")
        }
        let direct = ["-h", "127.0.0.1", "-p", "\(server.port)"] + user
        let count = try run(
            "psql",
            direct + ["-At", "-c", "select count(*) from pgbench_history", "postgres"]
        )
        #expect(count == "600\n")
        try daemon.waitForNoSession()
    }

    @Test("PROXY headers tell nginx the address of curl", arguments: ["v1", "v2"])
    func servesNGINX(version: String) throws {
        try requireProgram("curl")
        let told = "$proxy_protocol_addr $proxy_protocol_port"
        let nginx = try ForeignServer.nginx { port in
            """
            server {
                listen 127.0.0.1:\(port) proxy_protocol;
                location / {
                    return 200 "\(told) $proxy_protocol_server_addr $proxy_protocol_server_port";
                }
            }
            """
        }
        let daemon = try TestDaemon(
            proxying(as: "v4"),
            proxying(as: "v6", listen: "[::1]:0"),
            proxying(as: "unix", listen: "unix:DIR/front"),
            more: upstreams(upstream([nginx.address], #", "proxyProtocol": "\#(version)""#))
        )
        // Curl's own view of its connection, appended to the answer.
        let report = #" = %{local_ip} %{local_port} %{remote_ip} %{remote_port}"#
        for name in ["v4", "v6"] {
            let url = "http://\(try daemon.address(of: name))/"
            let said = try run("curl", ["-sS", "-m", "30", "-g", "-w", report + "\n", url, url])
            // Two requests use one connection, and only the first follows a header.
            let lines = said.split(separator: "\n")
            #expect(lines.count == 2)
            for line in lines {
                let halves = line.split(separator: " = ", maxSplits: 1)
                #expect(halves.count == 2 && halves[0] == halves[1], "\(line)")
            }
        }
        let socket = daemon.directory.appending("front")
        let said = try run("curl", ["-sS", "-m", "30", "--unix-socket", socket, "http://app/"])
        // The client has no IP address; the request is served nevertheless.
        #expect(said.allSatisfy { $0 == " " } || said.hasPrefix("unix:"), "\(said)")
        try daemon.waitForNoSession()
    }

    @Test(
        "haproxy's PROXY headers name its client, and the proxy passes the address on",
        arguments: [
            "send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn",
            "send-proxy-v2 proxy-v2-options unique-id,crc32c,authority",
        ],
        ["v1", "v2"]
    )
    func servesHAProxy(option: String, version: String) throws {
        let server = try HeaderServer()
        let daemon = try TestDaemon(
            proxying(#", "proxyProtocol": {"from": ["127.0.0.0/8"]}"#),
            more: upstreams(upstream([server.address], #", "proxyProtocol": "\#(version)""#))
        )
        let haproxy = try ForeignServer.haproxy(
            server: "\(try daemon.address(of: "front")) \(option)"
        )
        for round in 0..<10 {
            let client = try Client(from: 3, port: haproxy.port)
            try client.send("hello \(round)\n")
            let served = try server.accept()
            let header = try server.readHeader(of: served, version: version)
            #expect(header.source.hasPrefix("127.0.0.3:"), "\(header)")
            #expect(header.source.hasSuffix(":\(try client.localPort())"), "\(header)")
            #expect(header.destination == haproxy.address, "\(header)")
            #expect(try served.client.receiveLine() == "hello \(round)")
            try served.client.send("welcome\n")
            #expect(try client.receiveLine() == "welcome")
            let sessions = try daemon.sessions()
            #expect(sessions.map(\.peer).contains(header.source), "\(sessions)")
        }
    }

    @Test("haproxy's checks, whose headers contain no address, are served", arguments: ["", "-v2"])
    func servesChecks(version: String) throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try TestDaemon(
            proxying(#", "proxyProtocol": {"from": ["127.0.0.1"]}"#),
            more: upstreams(upstream([server.address]))
        )
        let haproxy = try ForeignServer.haproxy(
            server: "\(try daemon.address(of: "front")) send-proxy\(version) check inter 500ms",
            backend: """
                option tcp-check
                    tcp-check send alive\\n
                    tcp-check expect string app\\ alive
                """
        )
        try eventually("three checks to be answered") { server.record.answered >= 3 }
        let path = haproxy.directory.appending("admin")
        // On a slow machine, a check may time out.
        try eventually("a successful check") {
            let admin = try Client(path: path)
            try admin.send("show stat\n")
            let table = String(decoding: try admin.receiveToEnd(), as: UTF8.self)
            let row = table.split(separator: "\n").first { $0.hasPrefix("app,app,") } ?? ""
            // While the next check runs, haproxy marks the previous result with an asterisk.
            return row.contains(",UP,") && row.contains("L7OK,")
        }
        let client = try Client(port: haproxy.port)
        #expect(try client.ask() == "app")
    }
}
