import Console
import TestSupport
import Testing
import VerypollControl

@testable import verypollctl

@Suite("verypollctl routes")
struct RoutesTests: ~Copyable {
    private let directory: TemporaryDirectory
    private let daemon: FakeDaemon

    init() throws {
        let directory = try TemporaryDirectory()
        daemon = try FakeDaemon(
            path: directory.appending("control.sock"),
            status: Sample.status,
            sessions: Sample.sessions(now: currentTimestamp())
        )
        self.directory = directory
    }

    private func run(_ arguments: String...) throws -> Program.Result {
        try Program.run(
            "verypollctl",
            ["routes"] + arguments + patientOptions(socket: daemon.path),
            environment: ["NO_COLOR": "", "XDG_RUNTIME_DIR": ""]
        )
    }

    @Test("the routes are listed with the upstreams for all other clients")
    func lists() throws {
        let plain = Terminal(isInteractive: false, hasColor: false)
        let lines = routeTable(Sample.routings).lines(header: true, on: plain)
        #expect(
            lines.joined(separator: "\n").description == """
                LISTENER  ROUTE  NAMES                                 ALPN        UPSTREAM\
                  SESSIONS  SERVED
                front     acme   any                                   acme-tls/1  acme    \
                         0       3
                front     shop   shop.example.com, *.shop.example.com  any         shop    \
                         2      40
                front     none   (none)                                any         old     \
                         0       1
                front     -      others                                -           refused \
                         -       -
                front     -      not TLS                               -           plain   \
                         -       -
                inner     -      others                                -           db      \
                         -       -
                inner     -      not TLS                               -           refused \
                         -       -
                """
        )
        #expect(try run().standardOutput.hasSuffix("\n3 routes listed.\n"))
        #expect(try run("--json=short").standardOutput.contains(#""name":"shop""#))
    }

    @Test(
        "the route of a client is found as the daemon finds it",
        arguments: [
            (
                ["--match", "SHOP.example.com."],
                "front: route shop, upstream shop: the name is exact"
            ),
            (
                ["--match", "a.shop.example.com", "--alpn", "h2"],
                "front: route shop, upstream shop: the longest wildcard that matches"
            ),
            (
                ["--match", "x.test", "--alpn", "h2", "--alpn", "acme-tls/1"],
                "front: route acme, upstream acme: it matches any name, and a protocol that the client"
                    + " offers"
            ),
            (
                ["--match", ""],
                "front: route none, upstream old: it matches clients without a name"
            ),
            (
                ["--match", "192.0.2.1"],
                "front: route none, upstream old: it matches clients without a name"
            ),
            (
                ["--match", "x.test"],
                "front: no route, refused: no route matches the name, and there is no upstream for"
                    + " others"
            ),
        ]
    )
    func matches(options: [String], line: String) throws {
        let result = try Program.run(
            "verypollctl",
            ["routes"] + options + patientOptions(socket: daemon.path),
            environment: ["NO_COLOR": "", "XDG_RUNTIME_DIR": ""]
        )
        #expect(result.exit == .code(0))
        let who = options[1].contains("test") || options[1].contains("example")
        let other = who ? "the name" : "a client without a name"
        #expect(
            result.standardOutput
                == "\(line)\ninner: no route, upstream db: no route matches \(other)\n"
        )
    }

    @Test("routes of one listener can be chosen, and one without routes is named")
    func choosesListener() throws {
        let one = try run("--match", "x.test", "--listener", "inner")
        #expect(one.exit == .code(0))
        #expect(one.standardOutput.hasPrefix("inner: no route, upstream db"))
        #expect(one.standardOutput.split(separator: "\n").count == 1)
        let refused = try run("--match", "x.test", "--listener", "front")
        #expect(refused.exit == .code(4))
        let unknown = try run("--listener", "web")
        #expect(unknown.exit == .code(4))
        #expect(
            unknown.standardError == "verypollctl: no listener with routes is named \"web\"\n"
        )
    }

    @Test("--alpn without --match is wrong usage")
    func refuses() throws {
        let result = try run("--alpn", "h2")
        #expect(result.exit == .code(2))
        #expect(result.standardError.contains("--alpn needs --match"))
    }
}
