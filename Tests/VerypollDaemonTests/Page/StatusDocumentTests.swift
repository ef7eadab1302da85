import TestSupport
import Testing
import VerypollControl

@testable import StrictJSON
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Status document")
struct StatusDocumentTests {
    private func server(_ address: String, isUp: Bool = true) -> Status.Server {
        Status.Server(
            address: address,
            resolvedAddresses: [address],
            weight: 1,
            backup: false,
            mode: .up,
            state: isUp ? .up : .down,
            stateReason: isUp ? nil : "connection refused",
            stateTimestampUSec: 1,
            active: 0,
            sessions: 0,
            failures: 0,
            bytesIn: 0,
            bytesOut: 0
        )
    }

    private func document(
        listeners: [Status.Listener] = [],
        servers: [Status.Server] = []
    ) -> StatusDocument {
        let upstream = Status.Upstream(
            name: "app",
            balance: "roundRobin",
            active: 0,
            maxSessions: nil,
            waiting: 0,
            servers: servers
        )
        let status = Status(
            version: "1",
            pid: 2,
            startTimestampUSec: 3,
            configurationPath: nil,
            logLevel: "info",
            state: .running,
            drainDeadlineTimestampUSec: nil,
            note: nil,
            listeners: listeners,
            upstreams: servers.isEmpty ? [] : [upstream],
            workers: [],
            totals: Status.Totals(
                active: 0,
                maxSessions: 1,
                accepted: 0,
                rejected: 0,
                bytesIn: 0,
                bytesOut: 0
            ),
            configurationFiles: ["/etc/included.json"]
        )
        return StatusDocument(
            status,
            timestampUSec: 4,
            hostName: "<h&st>",
            reloadRefusal: "refused",
            events: []
        )
    }

    private func parse(_ text: [UInt8]) throws -> JSONValue {
        try JSONDocument(parsing: text).root
    }

    @Test("the document has the members of the status and its own")
    func encodes() throws {
        var document = document(listeners: [.sample("a")], servers: [server("b")])
        let members = try parse(document.fit())
        #expect(members["pid"]?.integer == 2)
        #expect(members["timestampUSec"]?.integer == 4)
        #expect(members["hostName"] == .string("<h&st>"))
        #expect(members["reloadRefusal"] == .string("refused"))
        #expect(members["events"] == .array([]))
        #expect(members["omitted"] == nil)
        #expect(members["configurationFiles"] == nil)
        #expect(members["upstreams"]?.array?.first?["servers"]?.array?.count == 1)
    }

    @Test("a document above the limit keeps what needs attention, and counts the rest")
    func isBounded() throws {
        let listeners =
            (100..<600).map { Status.Listener.sample("l\($0)") }
            + [.sample("z", .paused)]
        let servers = (100..<2100).map { server("s\($0)") } + [server("z", isUp: false)]
        var document = document(listeners: listeners, servers: servers)
        let limit = 100_000
        let text = document.fit(into: limit)
        #expect(text.count <= limit && text.count > limit / 2)
        let members = try parse(text)
        let keptListeners = members["listeners"]?.array ?? []
        let keptServers = members["upstreams"]?.array?.first?["servers"]?.array ?? []
        #expect(keptListeners.first?["name"] == .string("l100"))
        #expect(keptListeners.last?["name"] == .string("z"))
        #expect(keptServers.first?["address"] == .string("s100"))
        #expect(keptServers.last?["address"] == .string("z"))
        let omitted = try #require(document.omitted)
        #expect(omitted.listeners == 501 - keptListeners.count)
        #expect(omitted.servers == 2001 - keptServers.count)
        #expect(members["omitted"]?["servers"]?.integer == omitted.servers)
    }

    @Test("a limit that nothing fits into leaves a document without lists")
    func isBoundedAtAll() throws {
        var document = document(listeners: [.sample("a")], servers: [server("b")])
        let members = try parse(document.fit(into: 1))
        #expect(members["listeners"] == .array([]))
        #expect(members["upstreams"] == .array([]))
        #expect(document.omitted == .init(listeners: 1, upstreams: 1, servers: 1))
    }

    @Test("each document has an entity tag of its own, and the page has none")
    func tags() throws {
        let status = document().report(.status)
        #expect(status.fields.contains("Cache-Control: no-cache"))
        #expect(status.entityTag == "\"2-4\"")
        #expect(document().report(.page).entityTag == nil)
    }

    @Test("the page's policy has the hashes of its own style and script, and nothing else")
    func hashesPage() throws {
        let report = document(servers: [server("b")]).report(.page)
        let text = String(decoding: report.body, as: UTF8.self)
        func contents(of name: String) throws -> String {
            let match = try Regex("(?s)<\(name)>(.*?)</\(name)>")
            let found = text.matches(of: match)
            #expect(found.count == 1)
            return found.first?.output[1].substring.map(String.init) ?? ""
        }
        let folder = try TemporaryDirectory()
        func hash(of name: String) throws -> String {
            let file = try folder.write(try contents(of: name), to: name)
            let command = #"openssl dgst -sha256 -binary "$1" | base64"#
            let result = try Program.run("sh", ["-c", command, "sh", file])
            return "sha256-" + result.standardOutput.prefix { $0 != "\n" }
        }
        let style = try hash(of: "style")
        let script = try hash(of: "script")
        #expect(
            report.fields.first == "Content-Security-Policy: default-src 'none';"
                + " script-src '\(script)'; style-src '\(style)'; connect-src 'self';"
                + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        #expect(!text.contains("{{"))
        #expect(!text.contains("http://") || text.contains("http://www.w3.org/2000/svg"))
        #expect(report.body.count < 45_000)
    }

    @Test("hostile names are escaped in the title and in the snapshot")
    func escapes() {
        let names = [
            "\"><img src=x onerror=alert(1)>", "</noscript><script>alert(1)</script>", "a&b'",
        ]
        let report = document(
            listeners: names.map { .sample($0) },
            servers: names.map { server($0, isUp: false) }
        ).report(.page)
        let text = String(decoding: report.body, as: UTF8.self)
        #expect(!text.contains("<img"))
        #expect(!text.contains("<script>alert"))
        #expect(text.contains("<title>&lt;h&amp;st&gt; – verypolld</title>"))
        #expect(text.contains("<td>a&amp;b&#39;</td>"))
        #expect(text.contains("<td>connection refused</td>"))
    }
}
