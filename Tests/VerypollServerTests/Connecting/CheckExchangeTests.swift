import TestSupport
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

/// A check of a server at 10.0.0.1:80, whose answer is handed over in pieces.
private struct Check {
    private var exchange: CheckExchange

    init(
        server: String = "10.0.0.1:80",
        send: CheckBytes = "",
        expect: CheckBytes = "",
        _ service: UpstreamConfiguration.HealthCheck.Service? = nil,
        port: UInt16? = nil,
        hidesAnswers: Bool = false
    ) throws {
        var check = UpstreamConfiguration.HealthCheck(
            interval: .seconds(5),
            timeout: .seconds(2),
            rise: 1,
            fall: 1,
            send: send,
            expect: expect,
            service: service,
            port: port
        )
        check.hidesAnswers = hidesAnswers
        exchange = CheckExchange(check, of: try UpstreamAddress(server), version: "1.2")
    }

    var request: String { String(decoding: exchange.request, as: UTF8.self) }
    var requestBytes: [UInt8] { exchange.request }
    var readsAnswer: Bool { exchange.readsAnswer }
    var end: CheckExchange.Step { exchange.end() }
    var expiry: CheckExchange.Step { exchange.expire() }

    mutating func receive(_ bytes: [UInt8]) -> CheckExchange.Step { exchange.receive(bytes) }

    mutating func receive(_ text: String) -> CheckExchange.Step { receive(Array(text.utf8)) }

    /// Hands an answer over, at once and byte by byte, and returns the step that both lead to.
    func decide(_ answer: [UInt8]) -> CheckExchange.Step? {
        var (whole, pieces) = (self, self)
        let step = whole.receive(answer)
        for byte in answer {
            let next = pieces.receive([byte])
            guard next != .wait else { continue }
            // A message shows only the bytes that have arrived.
            if case (.failure, .failure) = (next, step) { return step }
            return next == step ? step : nil
        }
        return step == .wait ? step : nil
    }

    func decide(_ answer: String) -> CheckExchange.Step? { decide(Array(answer.utf8)) }
}

@Suite("ByteSearch")
struct ByteSearchTests {
    @Test("bytes are found exactly where the stream contains them, however it is cut")
    func finds() {
        var generator = Generator(state: 0xB17E)
        for _ in 0..<20_000 {
            let stream = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                UInt8.random(in: 0...1, using: &generator)
            }
            let pattern = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                UInt8.random(in: 0...1, using: &generator)
            }
            let isThere = stream.indices.contains { stream[$0...].starts(with: pattern) }
            var search = ByteSearch(pattern)
            var rest = stream[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...rest.count, using: &generator)
                _ = search.finds(in: Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            guard search.hasFound != isThere else { continue }
            Issue.record("\(pattern) in \(stream)")
            return
        }
    }

    @Test("a pattern that almost matches everywhere costs no more than the stream is long")
    func isLinear() {
        // A search that starts over at each byte would compare two billion bytes.
        let pattern = Array(repeating: UInt8(0), count: 32_768) + [1]
        var search = ByteSearch(pattern)
        for _ in 0..<65_536 where search.finds(in: [0]) { Issue.record("found too early") }
        let isFound = search.finds(in: [1])
        #expect(isFound)
    }
}

@Suite("Exchanges of health checks")
struct CheckExchangeTests {
    @Test("messages do not show the answers to checks with a credential")
    func hidesAnswers() throws {
        var check = try Check(send: "AUTH secret", expect: "+PONG", hidesAnswers: true)
        #expect(check.receive("-ERR 'secret'") == .wait)
        #expect(check.end == .failure("its answer ended after 13 bytes"))
        #expect(check.expiry == .failure("no expected answer in time, but 13 bytes"))
    }

    @Test("the expected bytes may be anywhere in the first 65,536 bytes of an answer")
    func searches() throws {
        let check = try Check(send: "hi", expect: "PONG")
        #expect(check.request == "hi")
        #expect(check.decide("* hello\r\n+PONG\r\n") == .success)
        #expect(check.decide("PON") == .wait)
        let noise = Array(repeating: UInt8(ascii: "x"), count: 65_532)
        #expect(check.decide(noise + Array("PONG".utf8)) == .success)
        #expect(
            check.decide(noise + Array("xPON".utf8))
                == .failure("its first 65536 bytes are not the expected answer")
        )
    }

    @Test("an answer that ends, or is late, is a failure that shows its first bytes")
    func describes() throws {
        var check = try Check(expect: "PONG")
        #expect(check.end == .failure("its answer ended after \"\""))
        #expect(check.expiry == .failure("no answer in time"))
        _ = check.receive("+PO")
        #expect(check.end == .failure("its answer ended after \"+PO\""))
        #expect(check.expiry == .failure("no expected answer in time, but \"+PO\""))
    }

    @Test("without bytes to expect, no answer is read")
    func readsNothing() throws {
        #expect(try Check(send: "x").readsAnswer == false)
        #expect(try Check().request == "")
    }

    // MARK: HTTP

    @Test(
        "the header Host names the server as configured, with the port unless it is 80",
        arguments: [
            ("10.0.0.1:80", nil, "10.0.0.1"), ("10.0.0.1:81", nil, "10.0.0.1:81"),
            ("[::1]:80", nil, "[::1]"), ("[fe80::1%2]:81", nil, "[fe80::1]:81"),
            ("app.example:80", nil, "app.example"), ("app.example:5432", 8008, "app.example:8008"),
            ("app.example:5432", 80, "app.example"), ("unix:/run/app", nil, "localhost"),
        ] as [(String, UInt16?, String)]
    )
    func names(server: String, port: UInt16?, host: String) throws {
        let check = try Check(server: server, .http(.init()), port: port)
        #expect(
            check.request == "GET / HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: verypolld/1.2\r\n"
                + "Accept: */*\r\nConnection: close\r\n\r\n"
        )
    }

    @Test("the request has the configured method, path and host")
    func asks() throws {
        var http = UpstreamConfiguration.HealthCheck.HTTP()
        (http.path, http.host, http.method) = ("/health?deep=1", "shop.example", .head)
        let request = try Check(.http(http)).request
        #expect(request.hasPrefix("HEAD /health?deep=1 HTTP/1.1\r\nHost: shop.example\r\n"))
    }

    @Test(
        "the status line decides",
        arguments: [
            ("HTTP/1.1 200 OK\r\n", .success), ("HTTP/1.0 204 No Content\r\n", .success),
            ("HTTP/1.1 399\r\n", .success), ("HTTP/1.1 200\n", .success),
            ("HTTP/1.1 200 \r\n", .success), ("HTTP/1.1 200 OK", .wait),
            ("HTTP/1.1 404 Not Found\r\n", .failure("it answered with status 404")),
            ("HTTP/1.1 101 Switching Protocols\r\n", .failure("it answered with status 101")),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", .success),
            ("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200\r\n", .success),
            ("HTTP/1.1 103 Early Hints\n\nHTTP/1.1 102 x\n\nHTTP/1.1 200\n", .success),
            ("HTTP/1.1 100 Continue\r\nHTTP/1.1 200 OK\r\n", .wait),
            ("HTTP/1.1 2000 OK\r\n", .failure("it answered \"HTTP/1.1 2000 OK\\u000D\\u000A\"")),
            ("HTTP/1.1 2x0 OK\n", .failure("it answered \"HTTP/1.1 2x0 OK\\u000A\"")),
            ("HTTP/1.1200 OK\n", .failure("it answered \"HTTP/1.1200 OK\\u000A\"")),
            ("SSH-2.0-OpenSSH", .failure("it answered \"SSH-2.0-OpenSSH\"")),
            ("\r\n", .failure("it answered \"\\u000D\\u000A\"")),
        ] as [(String, CheckExchange.Step)]
    )
    func judgesStatus(answer: String, step: CheckExchange.Step) throws {
        #expect(try Check(.http(.init())).decide(answer) == step)
    }

    @Test("headers without end are not read on after 65,536 bytes")
    func limitsHeaders() throws {
        let line = "X: \(String(repeating: "x", count: 65_536))\r\n"
        let answer = String(("HTTP/1.1 100 Continue\r\n" + line).prefix(65_536))
        let step = try Check(.http(.init())).decide(answer)
        #expect(step == .failure("its first 65536 bytes are not the expected answer"))
    }

    // MARK: Redis

    @Test(
        "a Redis server that answers or demands authentication is alive",
        arguments: [
            ("+PONG\r\n", .success), ("-NOAUTH Authentication required.\r\n", .success),
            ("-NOPERM this user has no permissions\r\n", .success), ("+PONG", .wait),
            ("-LOADING Redis is loading the dataset in memory\r\n", nil),
            ("-MASTERDOWN Link with MASTER is down\r\n", nil), ("-ERR unknown\r\n", nil),
            ("-DENIED Redis is running in protected mode\r\n", nil), ("+OK\r\n", nil),
            ("HTTP/1.1 400 Bad Request\r\n", nil),
        ] as [(String, CheckExchange.Step?)]
    )
    func judgesRedis(answer: String, step: CheckExchange.Step?) throws {
        let check = try Check(.redis)
        #expect(check.request == "*1\r\n$4\r\nPING\r\n")
        let shown = answer.replacing("\r\n", with: "\\u000D\\u000A")
        #expect(check.decide(answer) == step ?? .failure("it answered \"\(shown)\""))
    }

    // MARK: PostgreSQL

    /// Returns a message of the server: its type, length and body.
    private func message(_ type: String, _ body: [UInt8]) -> [UInt8] {
        Array(type.utf8) + [0, 0, UInt8((body.count + 4) >> 8), UInt8((body.count + 4) & 255)]
            + body
    }

    private func error(_ state: String, _ text: String) -> [UInt8] {
        message("E", Array("SFATAL\0VFATAL\0C\(state)\0M\(text)\0\0".utf8))
    }

    @Test("the startup message names the user, and the database if there is one")
    func startsUp() throws {
        var names = UpstreamConfiguration.HealthCheck.PostgreSQL()
        #expect(
            try Check(.postgresql(names)).requestBytes
                == [0, 0, 0, 23, 0, 3, 0, 0] + Array("user\0postgres\0\0".utf8)
        )
        names.database = "shop"
        #expect(
            try Check(.postgresql(names)).requestBytes
                == [0, 0, 0, 37, 0, 3, 0, 0] + Array("user\0postgres\0database\0shop\0\0".utf8)
        )
    }

    @Test("a PostgreSQL server that demands a password, or refuses the user, accepts sessions")
    func acceptsDemands() throws {
        let check = try Check(.postgresql(.init()))
        let demand = message("R", [0, 0, 0, 10] + Array("SCRAM-SHA-256\0\0".utf8))
        #expect(check.decide(message("R", [0, 0, 0, 3])) == .success)
        #expect(check.decide(error("28000", "no pg_hba.conf entry")) == .success)
        #expect(check.decide(error("53300", "sorry, too many clients already")) == .success)
        var whole = check
        #expect(whole.receive(demand) == .success)
    }

    @Test("a PostgreSQL server that starts, recovers or shuts down accepts no sessions")
    func refusesStart() throws {
        let check = try Check(.postgresql(.init()))
        #expect(
            check.decide(error("57P03", "the database system is starting up"))
                == .failure(
                    "it answered \"the database system is starting up (SQLSTATE 57P03)\""
                )
        )
        guard case .failure = check.decide(error("57P01", "terminating connection")) else {
            Issue.record("a server that ends its sessions counts as healthy")
            return
        }
        #expect(check.decide([UInt8(ascii: "E"), 0, 0]) == .wait)
        guard case .failure = check.decide("SSH-2.0") else {
            Issue.record("a server of another kind counts as healthy")
            return
        }
        guard case .failure = check.decide([UInt8(ascii: "R"), 255, 0, 0, 0]) else {
            Issue.record("a message of any length is read")
            return
        }
    }

    @Test("a PostgreSQL server that admits the check is told that it ends")
    func saysGoodbye() throws {
        var check = try Check(.postgresql(.init()))
        #expect(check.end == .failure("its answer ended after \"\""))
        let admission = message("R", [0, 0, 0, 0])
        #expect(check.receive(admission) == .send([UInt8(ascii: "X"), 0, 0, 0, 4]))
        #expect(check.receive(message("S", [0, 0])) == .wait)
        #expect(check.end == .success)
        #expect(check.expiry == .success)
    }
}
