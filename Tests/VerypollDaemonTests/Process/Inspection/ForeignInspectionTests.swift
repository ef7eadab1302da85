internal import TestSupport
internal import Testing

@Suite("Third-party TLS clients and servers behind one port")
struct ForeignInspectionTests {
    /// Makes a key and a certificate for a name, and returns the path without its extension.
    private func makeCertificate(_ name: String, in directory: borrowing TemporaryDirectory) throws
        -> String
    {
        let path = directory.appending(name)
        try run(
            "openssl",
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                + ["-keyout", "\(path).key", "-out", "\(path).crt", "-days", "2"]
                + ["-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)"]
        )
        return path
    }

    private func nginx(_ name: String, in directory: borrowing TemporaryDirectory) throws
        -> ForeignServer
    {
        let path = try makeCertificate(name, in: directory)
        return try .nginx { port in
            """
            server {
                listen 127.0.0.1:\(port) ssl http2;
                ssl_certificate \(path).crt;
                ssl_certificate_key \(path).key;
                location / { return 200 "\(name) over $server_protocol"; }
            }
            """
        }
    }

    /// Returns the options of curl for a name that leads to the daemon.
    private func words(_ name: String, _ address: String) -> [String] {
        ["--silent", "--show-error", "--connect-to", "\(name):443:\(address)", "https://\(name)/"]
    }

    @Test("each name gets its own certificate and server over HTTP/1.1 and HTTP/2")
    func routesHTTP() throws {
        try requireProgram("curl")
        try requireProgram("openssl")
        let directory = try TemporaryDirectory()
        let shop = try nginx("shop.example.com", in: directory)
        let wild = try nginx("a.wild.example.com", in: directory)
        let other = try nginx("other.example.com", in: directory)
        let daemon = try TestDaemon(
            """
            "front": {"listen": ["127.0.0.1:0"], "handler": {"type": "proxy", "inspect": "tls",
            "routes": {"shop": {"serverNames": ["shop.example.com"], "upstream": "shop"},
            "wild": {"serverNames": ["*.wild.example.com"], "upstream": "wild"},
            "old": {"serverNames": [""], "upstream": "other"}}}}
            """,
            more: upstreams(
                upstream([shop.address], as: "shop"),
                upstream([wild.address], as: "wild"),
                upstream([other.address], as: "other")
            )
        )
        let address = try daemon.address(of: "front")
        for name in ["shop.example.com", "a.wild.example.com"] {
            let trust = ["--cacert", "\(directory.appending(name)).crt"]
            for (option, version) in [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2.0")] {
                let body = try run("curl", words(name, address) + trust + [option])
                #expect(body == "\(name) over \(version)")
            }
        }
        let nobody = try Program.run("openssl", ["s_client", "-connect", address, "-noservername"])
        #expect(nobody.standardOutput.contains("CN = other.example.com"))
        let unknown = try Program.run(
            "openssl",
            ["s_client", "-connect", address, "-servername", "unknown.example.com"]
        )
        #expect(unknown.exit == .code(1))
        #expect(unknown.standardError.contains("unrecognized name"))
        #expect(unknown.standardError.contains("SSL alert number 112"))
        let plain = try Program.run("curl", ["--silent", "--show-error", "http://\(address)/"])
        #expect(plain.exit == .code(52))  // An empty reply: the daemon has closed.
        try daemon.waitForNoSession()
    }

    @Test("psql with TLS reaches the server of its name, and without TLS the upstream notTLS")
    func routesPostgreSQL() throws {
        try requireProgram("psql")
        let directory = try TemporaryDirectory()
        let first = try ForeignServer.postgreSQL(named: "first")
        let second = try ForeignServer.postgreSQL(named: "second")
        let daemon = try TestDaemon(
            """
            "front": {"listen": ["127.0.0.1:0"],
            "handler": {"type": "proxy", "inspect": "postgresql",
            "routes": {"one": {"serverNames": ["one.example.com"], "upstream": "one"},
            "two": {"serverNames": ["two.example.com"], "upstream": "two"}},
            "notTLS": "two"}}
            """,
            more: upstreams(
                upstream([first.address], as: "one"),
                upstream([second.address], as: "two")
            )
        )
        let port = try daemon.address(of: "front").split(separator: ":")[1]
        func ask(_ name: String, _ mode: String) throws -> String {
            try run(
                "psql",
                [
                    "-At", "-c",
                    "select current_setting('cluster_name'), ssl from pg_stat_ssl "
                        + "where pid = pg_backend_pid()",
                    "host=\(name) hostaddr=127.0.0.1 port=\(port) user=postgres dbname=postgres "
                        + "sslmode=\(mode)",
                ]
            )
        }
        #expect(try ask("one.example.com", "require") == "first|t\n")
        #expect(try ask("two.example.com", "require") == "second|t\n")
        #expect(try ask("one.example.com", "disable") == "second|f\n")
        try daemon.waitForNoSession()
        _ = directory
    }
}
