import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("RequestHead")
struct RequestHeadTests {
    private func parse(_ text: String) -> RequestHead.Finding {
        RequestHead.parse(Array(text.utf8).span)
    }

    /// Parses a head; fails the test if the request is not granted.
    private func head(_ text: String) throws -> RequestHead {
        let finding = parse(text)
        guard case .complete(let head, byteCount: text.utf8.count) = finding else {
            throw Unexpected(finding: finding, text: text)
        }
        return head
    }

    private struct Unexpected: Error {
        let finding: RequestHead.Finding
        let text: String
    }

    private static func request(_ line: String, _ fields: String...) -> String {
        ([line, "Host: a"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }

    private static func get(_ fields: String...) -> String {
        (["GET /metrics HTTP/1.1", "Host: a"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test(
        "GET and HEAD of /metrics are granted, also with a query and in absolute form",
        arguments: [
            "GET /metrics HTTP/1.1", "HEAD /metrics HTTP/1.1", "GET /metrics?a=/b?c HTTP/1.1",
            "GET http://h:9464/metrics HTTP/1.1", "GET HTTP://[::1]/metrics?x HTTP/1.1",
            "GET /metrics HTTP/1.7", "GET /metrics HTTP/1.0", "\r\n\r\nGET /metrics HTTP/1.1",
        ]
    )
    func grants(line: String) throws {
        let head = try head(Self.request(line))
        #expect(head.isHead == line.hasPrefix("HEAD"))
        #expect(head.isPersistent == !line.hasSuffix("1.0"))
    }

    @Test(
        "a request for anything else is refused with the right status",
        arguments: [
            ("GET /metrics/ HTTP/1.1", HTTPStatus.notFound),
            ("GET // HTTP/1.1", .notFound),
            ("GET /status.json/ HTTP/1.1", .notFound),
            ("GET /metricsx HTTP/1.1", .notFound),
            ("GET /Metrics HTTP/1.1", .notFound),
            ("GET http://a/x HTTP/1.1", .notFound),
            ("POST /metrics HTTP/1.1", .methodNotAllowed),
            ("get /metrics HTTP/1.1", .methodNotAllowed),
            ("OPTIONS * HTTP/1.1", .methodNotAllowed),
            ("CONNECT a:80 HTTP/1.1", .methodNotAllowed),
            ("GET /metrics HTTP/2.0", .versionNotSupported),
            ("GET /metrics HTTP/0.9", .versionNotSupported),
            ("PRI * HTTP/2.0", .versionNotSupported),
            ("GET * HTTP/1.1", .badRequest),
            ("GET metrics HTTP/1.1", .badRequest),
            ("GET https://a/metrics HTTP/1.1", .badRequest),
            ("GET http:///metrics HTTP/1.1", .badRequest),
            ("GET http://u@a/metrics HTTP/1.1", .badRequest),
            ("GET /metrics", .badRequest),
            ("GET  /metrics HTTP/1.1", .badRequest),
            ("GET /metrics  HTTP/1.1", .badRequest),
            ("GET /metrics HTTP/1.1 ", .badRequest),
            (" GET /metrics HTTP/1.1", .badRequest),
            ("GET\t/metrics HTTP/1.1", .badRequest),
            ("GET /metrics http/1.1", .badRequest),
            ("GET /metrics HTTP/1.10", .badRequest),
            ("GET /metrics HTTP/1,1", .badRequest),
            ("GET /metr\u{e9}cs HTTP/1.1", .badRequest),
            ("G(T /metrics HTTP/1.1", .badRequest),
        ]
    )
    func refuses(line: String, status: HTTPStatus) {
        #expect(parse(Self.request(line)) == .refused(status, isHead: false))
    }

    @Test(
        "the status page and its data have paths of their own",
        arguments: [
            ("GET / HTTP/1.1", ReportKind.page), ("HEAD /?a HTTP/1.1", .page),
            ("GET http://a HTTP/1.1", .page), ("GET http://a?/metrics HTTP/1.1", .page),
            ("GET http://a/ HTTP/1.1", .page), ("GET /status.json HTTP/1.1", .status),
            ("GET http://a/status.json?x HTTP/1.1", .status),
        ]
    )
    func findsPage(line: String, kind: ReportKind) throws {
        #expect(try head(Self.request(line)).kind == kind)
    }

    @Test("the entity tags that a client knows are read, up to a limit")
    func readsTags() throws {
        let line = "GET /status.json HTTP/1.1"
        #expect(try head(Self.request(line)).knownTags == [])
        let some = Self.request(line, "If-None-Match: \"a\", W/\"b\" ,\"c\"")
        #expect(try head(some).knownTags == ["\"a\"", "\"b\"", "\"c\""])
        #expect(try head(Self.request(line, "if-none-match: *")).knownTags == ["*"])
        let many = String(repeating: "\"x\",", count: 100)
        #expect(try head(Self.request(line, "If-None-Match: \(many)")).knownTags.count == 8)
    }

    @Test("a refused HEAD request is reported as such, because its response has no body")
    func refusesHead() {
        let finding = parse(Self.request("HEAD /x HTTP/1.1"))
        #expect(finding == .refused(.notFound, isHead: true))
    }

    @Test(
        "a malformed field is refused, whichever field it is",
        arguments: [
            "X : y", ": y", "X", " folded", "\tfolded", "X: a\rb", "X: a\nb", "X: \u{0}",
            "X: \u{7F}", "X(: y", "Host: b", "host:a", "Content-Length:", "Content-Length: +1",
            "Content-Length: 1, 1", "Content-Length: 0x0",
        ]
    )
    func refusesField(field: String) {
        #expect(parse(Self.get(field)) == .refused(.badRequest, isHead: false))
    }

    @Test("only HTTP/1.1 requires a Host field, which must be valid")
    func needsHost() throws {
        let bare = "GET /metrics HTTP/1.1\r\n\r\n"
        #expect(parse(bare) == .refused(.badRequest, isHead: false))
        #expect(try !head("GET /metrics HTTP/1.0\r\n\r\n").isPersistent)
        for host in ["", "a:80", "[fe80::1%25eth0]:80", "a_b.c"] {
            _ = try head("GET /metrics HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        }
        for host in ["a b", "a/b", "u@a", "a\"", "\u{e9}"] {
            let text = "GET /metrics HTTP/1.1\r\nHost: \(host)\r\n\r\n"
            #expect(parse(text) == .refused(.badRequest, isHead: false), "\(host)")
        }
    }

    @Test("a body is refused unless it is empty")
    func refusesBody() throws {
        for field in [
            "Content-Length: 5", "content-length: 00001", "Transfer-Encoding: chunked",
            "Transfer-Encoding: identity",
        ] {
            #expect(parse(Self.get(field)) == .refused(.badRequest, isHead: false), "\(field)")
        }
        _ = try head(Self.get("Content-Length: 0"))
        _ = try head(Self.get("Content-Length: 0", "Content-Length: 00"))
        let post = Self.request("POST /metrics HTTP/1.1", "Content-Length: 5")
        #expect(parse(post) == .refused(.methodNotAllowed, isHead: false))
    }

    @Test("the connection closes if close is one of the client's connection options")
    func closes() throws {
        for field in ["Connection: close", "CONNECTION:Foo ,\t CLOSE", "Connection: a,close,b"] {
            #expect(try !head(Self.get(field)).isPersistent, "\(field)")
        }
        for field in ["Connection: keep-alive", "Connection:", "Connection: closed", "X: close"] {
            #expect(try head(Self.get(field)).isPersistent, "\(field)")
        }
        // A persistent HTTP/1.0 connection would have to be negotiated.
        let old = "GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        #expect(try !head(old).isPersistent)
    }

    @Test(
        "OpenMetrics is for clients that ask for it and do not prefer the classic text",
        arguments: [
            ("application/openmetrics-text", true),
            ("Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8", true),
            ("application/openmetrics-text;version=\"1.0.0\"", true),
            ("text/plain, application/openmetrics-text", true),
            // Sent by Prometheus 2.42 and 3.0.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                    + "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                    + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2", true
            ),
            ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;q=0.5", false),
            ("application/openmetrics-text;version=2.0.0", false),
            ("application/openmetrics-text;version=0.0.1", false),
            ("application/openmetrics-text;q=0", false),
            ("application/openmetrics-text;q=0.000", false),
            ("application/openmetrics-text;q=0.001", true),
            ("application/openmetrics-text;q=x", false),
            ("application/openmetrics-text;q=2", false),
            ("application/openmetrics-textual", false),
            ("text/plain", false),
            ("*/*", false),
            ("", false),
        ]
    )
    func negotiates(accept: String, prefersOpenMetrics: Bool) throws {
        let kind = ReportKind.metrics(prefersOpenMetrics ? .openMetrics : .classic)
        #expect(try head(Self.get("Accept: " + accept)).kind == kind)
        let two = Self.get("Accept: text/html", "accept: " + accept)
        #expect(try head(two).kind == kind)
    }

    @Test("the head's bytes are consumed exactly, however the head is split")
    func isIncremental() {
        let text = Self.request("HEAD /metrics HTTP/1.1", "Accept: */*", "Connection: close")
        let bytes = Array((text + "GET / HTTP/1.1\r\n").utf8)
        let head = RequestHead(isHead: true, isPersistent: false)
        for count in 0..<bytes.count {
            let finding = RequestHead.parse(bytes.span.extracting(first: count))
            let isWhole = count >= text.utf8.count
            let expected = RequestHead.Finding.complete(head, byteCount: text.utf8.count)
            #expect(finding == (isWhole ? expected : .incomplete))
        }
    }

    @Test("an invalid request is refused at its first invalid byte")
    func refusesEarly() {
        #expect(parse("\u{16}\u{3}\u{1}") == .refused(.badRequest, isHead: false))
        #expect(parse("GET /metrics HTTP/1.1\n") == .refused(.badRequest, isHead: false))
        #expect(parse("GET /metrics HTTP/1.1\r") == .incomplete)
        #expect(parse("GET /metrics HTTP/1.1\r\r") == .refused(.badRequest, isHead: false))
    }

    @Test("a head as long as the limit is served, and a longer one is refused")
    func isBounded() throws {
        let limit = RequestHead.byteLimit
        func padded(to count: Int) -> String {
            let rest = Self.get("X: ")
            return Self.get("X: " + String(repeating: "x", count: count - rest.utf8.count))
        }
        _ = try head(padded(to: limit))
        #expect(parse(padded(to: limit + 1)) == .refused(.headTooLarge, isHead: false))
        let endless = "GET /metrics?" + String(repeating: "x", count: limit)
        #expect(parse(endless) == .refused(.targetTooLong, isHead: false))
        #expect(parse(String(endless.prefix(limit - 1))) == .incomplete)
        let blanks = String(repeating: "\r\n", count: limit / 2)
        #expect(parse(blanks) == .refused(.targetTooLong, isHead: false))
    }
}
