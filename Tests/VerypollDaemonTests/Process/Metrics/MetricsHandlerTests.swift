internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

@Suite("metrics, in a running daemon")
struct MetricsHandlerTests {
    private static let close = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    private func connect(_ daemon: borrowing TestDaemon) throws -> HTTPPeer {
        HTTPPeer(try daemon.connect(to: "metrics"))
    }

    private func expectClassic(_ reply: HTTPPeer.Reply?) {
        #expect(reply?.status == 200)
        #expect(reply?.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(reply?.body.hasPrefix("# HELP ") == true)
        #expect(reply?.body.hasSuffix("\n") == true && reply?.body.hasSuffix("# EOF\n") == false)
    }

    @Test(
        "a request is answered, and the connection stays open for the next one",
        arguments: EchoTests.addresses
    )
    func answers(address: String) throws {
        let daemon = try TestDaemon(serving("metrics", listen: address))
        var peer = try connect(daemon)
        for _ in 0..<3 {
            let reply = try peer.ask(HTTPPeer.get)
            expectClassic(reply)
            #expect(reply?.fields["connection"] == nil)
            let date = try #require(reply?.fields["date"])
            #expect(date.wholeMatch(of: /\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/) != nil)
        }
        let open = "Accept: application/openmetrics-text\r\n\r\n"
        let reply = try peer.ask("GET /metrics?x=y HTTP/1.1\r\nHost: a\r\n" + open)
        let type = "application/openmetrics-text; version=1.0.0; charset=utf-8"
        #expect(reply?.fields["content-type"] == type)
        #expect(reply?.body.hasSuffix("\n# EOF\n") == true)
        let head = try peer.ask(HTTPPeer.head, hasBody: false)
        #expect(head?.status == 200)
        #expect(head?.fields["content-length"].flatMap(Int.init) ?? 0 > 1000)
        expectClassic(try peer.ask(HTTPPeer.get))
        try peer.client.finishSending()
        #expect(try peer.reply() == nil)
        try daemon.waitForNoSession()
    }

    @Test("the metrics count what has happened")
    func counts() throws {
        let daemon = try TestDaemon(serving("echo", ", \"maxSessions\": 7"), serving("metrics"))
        do {
            let client = try daemon.connect()
            try client.send("hello")
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        }
        try eventually("the end of the session") { try daemon.status(of: "echo").active == 0 }
        var peer = try connect(daemon)
        let text = try #require(try peer.ask(HTTPPeer.get)).body
        let lines = Set(text.split(separator: "\n"))
        let duration = "verypolld_listener_session_duration_seconds"
        for line in [
            "verypolld_active_sessions 1",
            #"verypolld_listener_accepted_total{listener="echo"} 1"#,
            #"verypolld_listener_received_bytes_total{listener="echo"} 5"#,
            #"verypolld_listener_sent_bytes_total{listener="echo"} 5"#,
            #"verypolld_listener_active_sessions{listener="echo"} 0"#,
            #"verypolld_listener_active_sessions{listener="metrics"} 1"#,
            #"verypolld_listener_max_sessions{listener="echo"} 7"#,
            #"verypolld_listener_paused{listener="echo"} 0"#,
            #"\#(duration)_count{listener="echo"} 1"#,
            #"\#(duration)_bucket{listener="echo",le="3600.0"} 1"#,
            #"\#(duration)_count{listener="metrics"} 0"#,
        ] { #expect(lines.contains(Substring(line)), "\(line) in\n\(text)") }
        #expect(text.contains(#"_build_info{version="\#(Release.version)",os="linux",arch="#))
        try expectPromtoolPleased(text)
    }

    @Test("a proxy's upstreams and servers have metrics")
    func countsServers() throws {
        let server = try TestDaemon(serving("echo"))
        let address = try server.address()
        let upstream = #""app": {"servers": ["\#(address)", "127.0.0.1:1"], "maxSessions": 9}"#
        let web = #""handler": {"type": "proxy", "upstream": "app"}"#
        let daemon = try TestDaemon(
            #""web": {"listen": ["127.0.0.1:0"], \#(web)}"#,
            serving("metrics"),
            more: #""upstreams": {\#(upstream)},"#
        )
        for _ in 0..<2 {
            let client = try daemon.connect(to: "web")
            try client.send("hello")
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        }
        try eventually("the end of the sessions") { try daemon.status(of: "web").active == 0 }
        var peer = try connect(daemon)
        let text = try #require(try peer.ask(HTTPPeer.get)).body
        let lines = Set(text.split(separator: "\n"))
        let up = #"{upstream="app",server="\#(address)"}"#
        for line in [
            #"verypolld_upstream_active_sessions{upstream="app"} 0"#,
            #"verypolld_upstream_waiting_sessions{upstream="app"} 0"#,
            #"verypolld_upstream_max_sessions{upstream="app"} 9"#,
            "verypolld_server_up\(up) 1", "verypolld_server_active_sessions\(up) 0",
            "verypolld_server_sessions_total\(up) 2", "verypolld_server_failures_total\(up) 0",
            "verypolld_server_received_bytes_total\(up) 10",
            "verypolld_server_sent_bytes_total\(up) 10",
            "verypolld_server_connect_duration_seconds_count\(up) 2",
            #"verypolld_server_failures_total{upstream="app",server="127.0.0.1:1"} 1"#,
        ] { #expect(lines.contains(Substring(line)), "\(line) in\n\(text)") }
        try expectPromtoolPleased(text)
    }

    @Test("pipelined requests are answered in order")
    func pipelines() throws {
        let daemon = try TestDaemon(serving("metrics"))
        var peer = try connect(daemon)
        let two = HTTPPeer.get + HTTPPeer.head
        try peer.client.send(String(repeating: two, count: 50) + Self.close + HTTPPeer.get)
        for _ in 0..<50 {
            expectClassic(try peer.reply())
            #expect(try peer.reply(hasBody: false)?.status == 200)
        }
        let last = try peer.reply()
        expectClassic(last)
        #expect(last?.fields["connection"] == "close")
        #expect(try peer.reply() == nil)
    }

    @Test("a request may arrive byte by byte, with end of file after it")
    func assembles() throws {
        let daemon = try TestDaemon(serving("metrics"))
        var peer = try connect(daemon)
        for byte in HTTPPeer.get.utf8 { try peer.client.send([byte]) }
        expectClassic(try peer.reply())
        try peer.client.send(HTTPPeer.get + HTTPPeer.get)
        try peer.client.finishSending()
        expectClassic(try peer.reply())
        expectClassic(try peer.reply())
        #expect(try peer.reply() == nil)
        let broken = try daemon.connect(to: "metrics")
        try broken.send(HTTPPeer.get.utf8.dropLast(2))
        try broken.finishSending()
        #expect(try broken.receiveToEnd() == [])
    }

    @Test(
        "a rejected request gets an answer and an orderly close, however much follows it",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404),
            ("DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET /metrics HTTP/1.1\r\n\r\n", 400),
            ("GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nGET / H", 400),
            ("GET /metrics HTTP/3.0\r\n", 505),
            ("GET /" + String(repeating: "x", count: 100_000), 414),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 100_000), 431),
            ("\u{16}\u{3}\u{1}", 400),
        ]
    )
    func refuses(request: String, status: Int) throws {
        let daemon = try TestDaemon(serving("metrics"))
        var peer = try connect(daemon)
        try peer.client.send(request + String(repeating: HTTPPeer.get, count: 1000))
        let reply = try #require(try peer.reply())
        #expect(reply.status == status)
        #expect(reply.fields["connection"] == "close")
        #expect(reply.fields["allow"] == (status == 405 ? "GET, HEAD" : nil))
        #expect(reply.body.hasSuffix("The metrics are at /metrics, for GET and HEAD.\n"))
        #expect(try peer.reply() == nil)
        try peer.client.finishSending()
        try daemon.waitForNoSession()
    }

    @Test("firstByte limits the time for a request's first byte and for the rest of its head")
    func endsSlow() throws {
        let daemon = try TestDaemon(serving("metrics", #", "timeouts": {"firstByte": "300ms"}"#))
        let address = try daemon.address(of: "metrics")
        let beginning = ContinuousClock.now
        let silent = try Client(address: address)
        let slow = try Client(address: address)
        // On a slow machine, the session may have ended by now.
        try? slow.send("GET /metrics HTTP/1.1\r\n")
        #expect(silent.receiveAll().bytes == [])
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
        #expect(slow.receiveAll().bytes == [])
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
        try daemon.waitForNoSession()
    }

    @Test("clients that do not read delay no one, and lose nothing when they read")
    func waitsForReaders() throws {
        // The answer is about 1 MB; a hundred of these fit in no socket's buffers.
        let many = (0..<400).map { serving("discard", as: "d\($0)", listen: "unix:@DIR-\($0)") }
        let daemon = try TestDaemon(many.joined(separator: ","), serving("metrics"), workers: 1)
        var slow = try connect(daemon)
        try slow.client.send(String(repeating: HTTPPeer.get, count: 100))
        var quick = try connect(daemon)
        for _ in 0..<3 { expectClassic(try quick.ask(HTTPPeer.get)) }
        var count = 0
        for _ in 0..<100 {
            let reply = try slow.reply()
            #expect(reply?.status == 200)
            #expect(reply?.body.hasSuffix("\n") == true)
            count += reply?.body.utf8.count ?? 0
        }
        #expect(count > 50_000_000)
        expectClassic(try slow.ask(HTTPPeer.get))
    }

    @Test("clients that disconnect while being answered leave nothing behind")
    func survivesResets() throws {
        let daemon = try TestDaemon(serving("metrics"))
        let address = try daemon.address(of: "metrics")
        for _ in 0..<300 {
            let client = try Client(address: address)
            try client.send(HTTPPeer.get + HTTPPeer.get)
            try client.reset()
        }
        var peer = try connect(daemon)
        expectClassic(try peer.ask(HTTPPeer.get))
        try eventually("the end of the other sessions") { try daemon.status().totals.active == 1 }
    }

    @Test("every client of a crowd is answered")
    func answersCrowds() throws {
        let daemon = try TestDaemon(serving("metrics"))
        let address = try daemon.address(of: "metrics")
        let crowd = (0..<8).map { _ in
            ConcurrentWork {
                var peer = HTTPPeer(try Client(address: address))
                for _ in 0..<100 {
                    let reply = try peer.ask(HTTPPeer.get)
                    #expect(reply?.status == 200)
                }
            }
        }
        for member in crowd { try member.join() }
        try daemon.waitForNoSession()
    }

    @Test("a stop closes an idle connection at once, and a busy one after its answer")
    func stops() throws {
        let daemon = try TestDaemon(
            serving("metrics"),
            serving("echo"),
            more: #""drain": {"deadline": "1h"},"#,
            workers: 1
        )
        let holder = try daemon.connect()
        var idle = try connect(daemon)
        expectClassic(try idle.ask(HTTPPeer.get))
        var busy = try connect(daemon)
        try busy.client.send(HTTPPeer.get.utf8.dropLast(2))
        // The daemon has handled the other clients' bytes before it answers this one.
        try holder.send("!")
        #expect(try holder.receive(exactly: 1) == [0x21])
        try daemon.program.send(SIGTERM)
        #expect(try idle.reply() == nil)
        let last = try busy.ask("\r\n")
        expectClassic(last)
        #expect(last?.fields["connection"] == "close")
        #expect(try busy.reply() == nil)
        try busy.client.finishSending()
        try holder.finishSending()
        #expect(try daemon.program.waitForExit() == .code(0))
    }
}
