internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@testable internal import StrictJSON
@testable internal import VerypollDaemon

@Suite("The status page, in a running daemon")
struct StatusPageTests {
    private static let page =
        #""metrics": {"listen": ["127.0.0.1:0", "unix:DIR/page"], "#
        + #""handler": {"type": "metrics", "page": true}}"#

    private func curl(_ daemon: borrowing TestDaemon, _ arguments: [String], _ path: String) throws
        -> String
    {
        try requireProgram("curl")
        let url = "http://\(try daemon.address(of: "metrics"))\(path)"
        let result = try Program.run("curl", ["--silent", "--show-error"] + arguments + [url])
        #expect(result.exit == .code(0), "\(result.standardError)")
        return result.standardOutput
    }

    /// Returns the status document of a daemon.
    private func document(_ daemon: borrowing TestDaemon) throws -> JSONValue {
        try JSONDocument(parsing: Array(try curl(daemon, [], "/status.json").utf8)).root
    }

    /// Waits until the latest events begin with an event, in the form `kind name state`.
    private func awaitEvent(_ wanted: String, of daemon: borrowing TestDaemon) throws -> JSONValue {
        try eventually(wanted) { () -> JSONValue? in
            let events = try document(daemon)["events"]?.array ?? []
            return events.first { event in
                let words = ["event", "listener", "server", "state"].compactMap {
                    event[$0]?.string
                }
                return words.joined(separator: " ") == wanted
            }
        }
    }

    @Test("curl gets the page and the status, with GET and HEAD")
    func serves() throws {
        let daemon = try TestDaemon(Self.page, serving("echo"))
        let page = try curl(daemon, [], "/")
        #expect(page.hasPrefix("<!DOCTYPE html>"))
        #expect(page.hasSuffix("</html>\n"))
        #expect(page.contains("<td>echo</td>"))
        let status = try document(daemon)
        #expect(status["version"]?.string == Release.version)
        #expect(status["listeners"]?.array?.count == 2)
        #expect(status["events"] == .array([]))
        #expect(status["hostName"]?.string?.isEmpty == false)
        for (path, type) in [
            ("/", "text/html; charset=utf-8"), ("/status.json", "application/json"),
        ] {
            let head = try curl(daemon, ["--head"], path).split(separator: "\r\n")
            #expect(head.first == "HTTP/1.1 200 OK")
            #expect(head.contains("Content-Type: \(type)"))
            #expect(head.contains("X-Content-Type-Options: nosniff"))
            #expect(head.contains("Referrer-Policy: no-referrer"))
            #expect(head.contains { $0.hasPrefix("Cache-Control: no-") })
            #expect(head.contains { $0.hasPrefix("Content-Security-Policy:") } == (path == "/"))
            #expect(!head.contains { $0.lowercased().hasPrefix("set-cookie") })
        }
        let local = ["--unix-socket", daemon.directory.appending("page")]
        #expect(try curl(daemon, local, "/?x").hasPrefix("<!DOCTYPE html>"))
        #expect(try curl(daemon, [], "/metrics").hasPrefix("# HELP "))
    }

    @Test("other methods and paths are refused, and all of the page's without its key")
    func refuses() throws {
        let with = try TestDaemon(Self.page)
        let without = try TestDaemon(serving("metrics"))
        let summary = ["--output", "/dev/null", "--write-out", "%{http_code}"]
        for path in ["/", "/status.json"] {
            #expect(try curl(with, summary + ["--data", "a=b"], path) == "405")
            #expect(try curl(with, summary + ["--request", "DELETE"], path) == "405")
            #expect(try curl(without, summary, path) == "404")
            #expect(try curl(without, summary + ["--head"], path) == "404")
        }
        let allow = ["--request", "PUT", "--include"]
        #expect(try curl(with, allow, "/status.json").contains("\r\nAllow: GET, HEAD\r\n"))
        #expect(try curl(with, summary, "/index.html") == "404")
        #expect(try curl(with, summary, "/metrics") == "200")
    }

    @Test("a reload adds the page to a listener and removes it")
    func reloads() throws {
        let daemon = try TestDaemon(serving("metrics", listen: "unix:DIR/page"))
        func status() throws -> String {
            let path = daemon.directory.appending("page")
            let options = ["--output", "/dev/null", "--write-out", "%{http_code}"]
            let result = try Program.run(
                "curl",
                ["--silent", "--unix-socket", path] + options + ["http://a/"]
            )
            return result.standardOutput
        }
        #expect(try status() == "404")
        let handler = #""handler": {"type": "metrics", "page": true}"#
        try daemon.rewrite(#""metrics": {"listen": ["unix:DIR/page"], \#(handler)}"#)
        #expect(try daemon.reload() == ["/listeners/metrics/handler/page"])
        #expect(try status() == "200")
        try daemon.rewrite(serving("metrics", listen: "unix:DIR/page"))
        try daemon.reload()
        #expect(try status() == "404")
    }

    @Test("after a reload has removed the page, an open connection gets one more answer at most")
    func endsConnections() throws {
        let daemon = try TestDaemon(Self.page)
        var peer = HTTPPeer(try daemon.connect(to: "metrics"))
        let request = "GET /status.json HTTP/1.1\r\nHost: a\r\n\r\n"
        let first = try peer.ask(request)
        #expect(first?.status == 200)
        #expect(first?.fields["connection"] == nil)
        try daemon.rewrite(
            #""metrics": {"listen": ["127.0.0.1:0", "unix:DIR/page"], "#
                + #""handler": {"type": "metrics"}}"#
        )
        #expect(try daemon.reload() == ["/listeners/metrics/handler/page"])
        let last = try peer.ask(request)
        #expect(last?.fields["connection"] == "close")
        #expect(try peer.reply()?.status == nil)
    }

    @Test("a client that has the latest status gets no body")
    func validates() throws {
        let daemon = try TestDaemon(Self.page)
        var peer = HTTPPeer(try daemon.connect(to: "metrics"))
        let request = "GET /status.json HTTP/1.1\r\nHost: a\r\n"
        let first = try #require(try peer.ask(request + "\r\n"))
        let tag = try #require(first.fields["etag"])
        #expect(first.body.hasPrefix("{") && first.body.hasSuffix("}"))
        // Another document may have been written meanwhile, so that a tag no longer matches.
        try eventually("an answer without a body") {
            let latest = try #require(try peer.ask(request + "\r\n")?.fields["etag"])
            let again = try peer.ask(request + "If-None-Match: \"x\", W/\(latest)\r\n\r\n")
            guard again?.status == 304 else { return false }
            #expect(again?.fields["etag"] == latest)
            #expect(again?.fields["content-length"] == nil)
            return true
        }
        let any = try peer.ask(request + "If-None-Match: *\r\n\r\n")
        #expect(any?.status == 304)
        try eventually("another document") {
            try peer.ask(request + "If-None-Match: \(tag)\r\n\r\n")?.status == 200
        }
    }

    @Test("the latest events are kept while nobody monitors the daemon")
    func keepsEvents() throws {
        let port = try reservedPort()
        let app = upstream(["127.0.0.1:\(port)"], #", "check": {"interval": "10ms", "fall": 1}"#)
        let daemon = try TestDaemon(Self.page, proxying(), more: upstreams(app))
        let down = try awaitEvent("server-down 127.0.0.1:\(port) down", of: daemon)
        #expect(down["upstream"]?.string == "app")
        #expect(down["reason"]?.string?.isEmpty == false)
        try daemon.order(
            "SetServer",
            #"{"upstream":"app","server":"127.0.0.1:\#(port)","state":"drain"}"#
        )
        _ = try awaitEvent("server-set 127.0.0.1:\(port) down", of: daemon)
        try daemon.order("Drain", #"{"listener": "front"}"#)
        _ = try awaitEvent("listener-changed front drained", of: daemon)
        try daemon.replace("{")
        _ = try daemon.refusedReload()
        let refused = try awaitEvent("reload-refused", of: daemon)
        #expect(refused["reason"]?.string?.contains("verypolld.json:1:") == true)
        let text = try document(daemon)["reloadRefusal"]?.string
        #expect(text?.hasPrefix("reload refused: ") == true)
        try daemon.rewrite(Self.page, proxying(), more: upstreams(app))
        try daemon.reload()
        _ = try awaitEvent("reloaded", of: daemon)
        #expect(try document(daemon)["reloadRefusal"] == nil)
    }

    @Test("a paused listener is an event, and so is that it accepts again")
    func keepsPauses() throws {
        let daemon = try TestDaemon(Self.page, serving("echo", #", "maxSessions": 1"#))
        let first = try daemon.connect()
        let second = try daemon.connect()
        let paused = try awaitEvent("listener-changed echo paused", of: daemon)
        #expect(paused["reason"]?.string?.isEmpty == false)
        try first.finishSending()
        #expect(first.receiveAll().bytes == [])
        try second.finishSending()
        #expect(second.receiveAll().bytes == [])
        _ = try awaitEvent("listener-changed echo accepting", of: daemon)
    }

    @Test("clients that monitor the daemon come and go without disturbing the page's events")
    func survivesMonitors() throws {
        let daemon = try TestDaemon(Self.page, serving("echo"))
        do {
            let monitor = try ControlPeer(path: daemon.controlPath)
            let call = ControlPeer.message("io.verypoll.Daemon.Monitor", flags: #", "more": true"#)
            try monitor.client.send(call)
            #expect(try !monitor.client.receive().isEmpty)
            try daemon.order("Drain", #"{"listener": "echo"}"#)
        }
        _ = try awaitEvent("listener-changed echo drained", of: daemon)
        try daemon.order("Resume", #"{"listener": "echo"}"#)
        _ = try awaitEvent("listener-changed echo accepting", of: daemon)
    }

    @Test("the status of thousands of servers has a bounded size")
    func isBounded() throws {
        let servers = (0..<4000).map { "unix:@" + String(repeating: "x", count: 80) + "\($0)" }
        let daemon = try TestDaemon(Self.page, proxying(), more: upstreams(upstream(servers)))
        let text = try curl(daemon, [], "/status.json")
        #expect(text.utf8.count <= StatusDocument.byteLimit)
        #expect(text.utf8.count > StatusDocument.byteLimit / 2)
        #expect(try document(daemon)["omitted"]?["servers"]?.integer ?? 0 > 1000)
        #expect(try curl(daemon, [], "/").utf8.count < StatusDocument.byteLimit)
    }
}
