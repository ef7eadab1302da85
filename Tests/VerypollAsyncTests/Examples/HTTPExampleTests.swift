import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("The async-http example")
final class HTTPExampleTests {
    private let server: Program
    private let port: UInt16
    private let url: String

    init() throws {
        server = try Program("async-http", ["127.0.0.1:0", "2"])
        port = try portOfGreeting(of: server)
        url = "http://127.0.0.1:\(port)"
    }

    /// Sends bytes and returns everything that the server sends until it ends the connection.
    private func exchange(_ request: String) throws -> String {
        let client = try Client(port: port)
        try client.send(request)
        return String(decoding: try client.receiveToEnd(), as: UTF8.self)
    }

    private func statuses(of response: String) -> [Int] {
        response.matches(of: #/HTTP\/1\.1 ([0-9]{3}) /#).compactMap { Int($0.output.1) }
    }

    @Test("curl gets a page, its head alone, and a missing page")
    func servesCurl() throws {
        try requireProgram("curl")
        #expect(try shell("curl -sS \(url)/") == "hello, world\n")
        let head = try shell("curl -sS --head \(url)/?query")
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.contains("\r\nContent-Length: 13\r\n"))
        #expect(head.hasSuffix("\r\n\r\n"))
        #expect(
            head.contains(/\r\nDate: [A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT\r\n/)
        )
        #expect(try shell("curl -sS -w '%{http_code}' \(url)/none") == "404 Not Found\n404")
    }

    @Test("the date of a response is the current time")
    func datesResponses() throws {
        try requireProgram("curl")
        let date = "curl -sS --head \(url)/ | sed -n 's/^Date: //p' | tr -d '\\r'"
        let seconds = try #require(Int(try shell("date -d \"$(\(date))\" +%s | tr -d '\\n'")))
        #expect(abs(Double(seconds) - Date().timeIntervalSince1970) < 60)
    }

    @Test(
        "curl posts a body and gets it back",
        arguments: ["", "-H 'Transfer-Encoding: chunked'", "-H 'Expect: 100-continue'", "-0"]
    )
    func echoes(options: String) throws {
        try requireProgram("curl")
        let body = String(decoding: pattern(byteCount: 65_536), as: UTF8.self)
        let directory = try TemporaryDirectory()
        let path = try directory.write(body, to: "body")
        let echoed = try shell("curl -sS \(options) --data-binary @\(path) \(url)/echo")
        let isWhole = echoed == body
        #expect(isWhole)
    }

    @Test("curl reuses one connection for several requests")
    func keepsAlive() throws {
        try requireProgram("curl")
        let count = "-w '%{num_connects} '"
        #expect(
            try shell("curl -sS -o /dev/null -o /dev/null \(count) \(url)/ \(url)/") == "1 0 "
        )
    }

    @Test("wrk keeps 32 connections busy without an error")
    func servesWrk() throws {
        try requireProgram("wrk")
        let report = try shell("wrk -t 1 -c 32 -d 1 \(url)/")
        #expect(report.contains(/[1-9][0-9]* requests in/))
        #expect(!report.contains("Socket errors"))
        #expect(!report.contains("Non-2xx"))
    }

    @Test("pipelined requests are answered in order, with their bodies")
    func pipelines() throws {
        let response = try exchange(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
                + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2;x=y\r\ntw\r\n1\r\no\r\n0\r\nTrailer: t\r\n\r\n"
                + "\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
                + "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        #expect(statuses(of: response) == [200, 200, 200, 200])
        let ends = response.ranges(of: "\r\n\r\n").map { response[$0.upperBound...].prefix(3) }
        #expect(ends == ["one", "two", "HTT", "hel"])
    }

    @Test("a request that arrives byte by byte is answered")
    func assembles() throws {
        let client = try Client(port: port)
        for byte in "POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nok".utf8 {
            try client.send([byte])
        }
        let response = String(decoding: try client.receiveToEnd(), as: UTF8.self)
        #expect(response.hasSuffix("\r\n\r\nok"))
    }

    @Test("a client of HTTP/1.0 may keep its connection alive")
    func keepsOldClientsAlive() throws {
        let request = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"
        let response = try exchange(request + request + "GET / HTTP/1.0\r\n\r\n")
        #expect(statuses(of: response) == [200, 200, 200])
    }

    @Test("a client that waits for 100 Continue gets it before its body, unless it is refused")
    func continues() throws {
        let client = try Client(port: port)
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
        try client.send(head + "2\r\n\r\n")
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        let received = try client.receive(exactly: interim.utf8.count)
        #expect(String(decoding: received, as: UTF8.self) == interim)
        try client.send("okGET / HTTP/1.0\r\n\r\n")
        let response = String(decoding: try client.receiveToEnd(), as: UTF8.self)
        #expect(statuses(of: response) == [200, 200])
        #expect(statuses(of: try exchange(head + "65537\r\n\r\n")) == [413])
    }

    @Test(
        "a request that is not valid or too large is refused, and the connection ends",
        arguments: [
            ("GET /\r\n\r\n", 400),
            ("GET / HTTP/1.1\n\n", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", 400),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", 400),
            (
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400
            ),
            (
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n",
                400
            ),
            (
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n", 400
            ),
            (
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n", 400
            ),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
            (
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
                400
            ),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n", 413),
            ("GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", 417),
            ("GET /\(String(repeating: "x", count: 9000)) HTTP/1.1\r\nHost: a\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\n\(String(repeating: "A: b\r\n", count: 101))\r\n", 431),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ]
    )
    func refuses(request: String, status: Int) throws {
        // The rest must neither be answered nor reset the connection before the response is read.
        let response = try exchange(request + "GET / HTTP/1.0\r\n\r\n")
        #expect(statuses(of: response) == [status])
        #expect(response.contains("\r\nConnection: close\r\n"))
    }

    @Test("a method that a resource does not allow is answered with those that it does")
    func namesAllowedMethods() throws {
        let host = " HTTP/1.1\r\nHost: a\r\n"
        let response = try exchange(
            "DELETE /\(host)\r\nGET /echo\(host)Connection: close\r\n\r\n"
        )
        #expect(statuses(of: response) == [405, 405])
        #expect(response.contains("\r\nAllow: GET, HEAD\r\n"))
        #expect(response.contains("\r\nAllow: POST\r\n"))
    }
}
