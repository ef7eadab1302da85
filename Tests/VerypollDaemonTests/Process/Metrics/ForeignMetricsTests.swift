internal import FoundationEssentials
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Third-party clients of metrics")
struct ForeignMetricsTests {
    private func curl(_ arguments: [String], _ url: String) throws -> String {
        try requireProgram("curl")
        let result = try Program.run("curl", ["--silent", "--show-error"] + arguments + [url])
        #expect(result.exit == .code(0), "\(result.standardError)")
        return result.standardOutput
    }

    /// Makes curl print an answer's status code, its content type and the size of its body.
    private let summary = [
        "--output", "/dev/null", "--write-out", "%{http_code} %{content_type} %{size_download}\n",
    ]

    @Test("curl gets the metrics with GET and HEAD, over HTTP/1.1 and 1.0, in both formats")
    func servesCurl() throws {
        let daemon = try TestDaemon(serving("metrics"))
        let url = "http://\(try daemon.address(of: "metrics"))/metrics"
        #expect(try curl([], url).hasPrefix("# HELP verypolld_build_info "))
        #expect(try curl(["--http1.0"], url).hasPrefix("# HELP verypolld_build_info "))
        #expect(try curl(["--ipv4", "--head"], url).hasPrefix("HTTP/1.1 200 OK\r\n"))
        let open = ["--header", "Accept: application/openmetrics-text;version=1.0.0"]
        #expect(try curl(open, url + "?a=b").hasSuffix("# EOF\n"))
        let head = try curl(["--head"] + summary, url)
        #expect(head == "200 text/plain; version=0.0.4; charset=utf-8 0\n")
    }

    @Test("curl gets an error for other paths and methods")
    func refusesCurl() throws {
        let daemon = try TestDaemon(serving("metrics"))
        let root = "http://\(try daemon.address(of: "metrics"))"
        func status(_ arguments: [String], _ path: String) throws -> Substring {
            try curl(arguments + summary, root + path).prefix(3)
        }
        #expect(try status([], "/") == "404")
        #expect(try status(["--head"], "/metrics/x") == "404")
        #expect(try status(["--data", "a=b"], "/metrics") == "405")
        #expect(try status(["--request", "OPTIONS"], "/metrics") == "405")
        #expect(try status(["--request", "GET", "--data", "a=b"], "/metrics") == "400")
        #expect(try status(["--header", "Host;", "--header", "X: y"], "/metrics") == "200")
        #expect(try status(["--header", "Host:"], "/metrics") == "400")
        let long = "X: " + String(repeating: "x", count: 9000)
        #expect(try status(["--header", long], "/metrics") == "431")
    }

    @Test("curl sends two requests over one connection, over TCP and a Unix-domain socket")
    func keepsCurl() throws {
        let daemon = try TestDaemon(serving("metrics", listen: "127.0.0.1:0 unix:DIR/metrics"))
        let url = "http://\(try daemon.address(of: "metrics"))/metrics"
        let connects = ["--output", "/dev/null", "--write-out", "%{num_connects}\n"]
        let second = ["--output", "/dev/null", url + "?again"]
        #expect(try curl(connects + second, url) == "1\n0\n")
        let path = ["--unix-socket", daemon.directory.appending("metrics")]
        #expect(try curl(path + connects + second, url) == "1\n0\n")
        #expect(try daemon.status(of: "metrics").accepted == 2)
    }

    @Test("nc gets the answers to all requests that it sends at once")
    func servesNetcat() throws {
        try requireProgram("nc")
        let daemon = try TestDaemon(serving("metrics"))
        let address = try daemon.address(of: "metrics").replacing(":", with: " ")
        let line = #"printf '%s' "$0" | nc -N $1 | grep -ac '^HTTP/1.1 200 OK'"#
        let requests = HTTPPeer.get + HTTPPeer.head + HTTPPeer.get
        let count = try Program.run("/bin/sh", ["-c", line, requests, address]).standardOutput
        #expect(count == "3\n")
    }

    @Test("promtool accepts the daemon's metrics")
    func pleasesPromtool() throws {
        let daemon = try TestDaemon(serving("metrics"), serving("echo"))
        let text = try curl([], "http://\(try daemon.address(of: "metrics"))/metrics")
        try expectPromtoolPleased(text)
    }

    @Test("a Prometheus server scrapes the daemon and stores its numbers")
    func servesPrometheus() throws {
        let daemon = try TestDaemon(serving("metrics"), serving("echo"))
        do {
            let client = try daemon.connect()
            try client.send("hello")
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        }
        let address = try daemon.address(of: "metrics")
        let server = try PrometheusServer(scraping: address)
        let name = "verypolld_listener_received_bytes_total"
        try eventually("a scrape") { try server.value(of: #"\#(name){listener="echo"}"#) == "5" }
        let duration = #"verypolld_listener_session_duration_seconds_bucket{listener="echo"}"#
        try eventually("the session's end in a scrape") {
            try server.value(of: duration.replacing("}", with: #",le="+Inf"}"#)) == "1"
        }
        // A scrape that takes longer than its timeout of a second fails and yields no value.
        try eventually("a successful scrape") {
            let median = try server.value(of: "histogram_quantile(0.5, \(duration))")
            let age = try server.value(of: "time() - process_start_time_seconds < bool 600")
            return try median.flatMap(Double.init).map { $0 > 0 } == true && age == "1"
                && server.value(of: "up") == "1" && server.lastErrors() == [""]
        }
        // Prometheus keeps its connection as long as its scrapes succeed.
        let accepted = try daemon.status(of: "metrics").accepted
        let failures = try eventually("the number of failures") {
            try server.value(of: "count_over_time(up[10m]) - sum_over_time(up[10m])").flatMap {
                Int($0)
            }
        }
        #expect(accepted <= 1 + failures)
    }
}

/// A Prometheus server for one test.
private struct PrometheusServer: ~Copyable {
    private let program: Program
    private let directory: TemporaryDirectory
    private let root: String

    /// Starts the server and waits until it accepts requests.
    init(scraping target: String) throws {
        try requireProgram("curl")
        let directory = try TemporaryDirectory()
        let configuration = try directory.write(
            """
            global: {scrape_interval: 1s, scrape_timeout: 1s}
            scrape_configs:
            - job_name: verypolld
              static_configs: [{targets: ["\(target)"]}]
            """,
            to: "prometheus.yml"
        )
        let program = try Program(
            Prometheus.path(of: "prometheus"),
            [
                "--config.file=\(configuration)",
                "--storage.tsdb.path=\(directory.appending("data"))",
                "--web.listen-address=127.0.0.1:0",
            ]
        )
        let said = try program.waitForStandardError(containing: "Server is ready to receive")
        let address = try #require(said.firstMatch(of: /"Listening on" address=(\S+)/)).1
        root = "http://\(address)/api/v1"
        self.program = program
        self.directory = directory
    }

    private struct Answer<Value: Decodable>: Decodable {
        var data: Value
    }

    private struct QueryResult: Decodable {
        struct Sample: Decodable {
            var value: [Number]
        }

        /// The timestamp is a number, and the value is text.
        enum Number: Decodable {
            case time
            case value(String)

            init(from decoder: any Decoder) throws {
                let text = try? decoder.singleValueContainer().decode(String.self)
                self = text.map { .value($0) } ?? .time
            }
        }

        var result: [Sample]
    }

    private struct Targets: Decodable {
        struct Target: Decodable {
            var lastError: String
        }

        var activeTargets: [Target]
    }

    private func ask<Value: Decodable>(
        _ path: String,
        _ arguments: [String],
        as type: Value.Type
    ) throws -> Value {
        let words = ["--silent", "--show-error", "--get", "\(root)/\(path)"]
        let result = try Program.run("curl", words + arguments)
        let data = Data(result.standardOutput.utf8)
        return try JSONDecoder().decode(Answer<Value>.self, from: data).data
    }

    /// Returns the value of an expression, or nil if it has none yet.
    func value(of expression: String) throws -> String? {
        let query = ["--data-urlencode", "query=\(expression)"]
        let result = try ask("query", query, as: QueryResult.self).result
        guard case .value(let text) = result.first?.value.last else { return nil }
        return text
    }

    /// Returns each target's last scrape error.
    func lastErrors() throws -> [String] {
        try ask("targets", [], as: Targets.self).activeTargets.map(\.lastError)
    }
}
