import Console
import TestSupport
import Testing
import VerypollControl

@testable import verypollctl

@Suite("verypollctl upstreams --hash")
struct UpstreamHashTests: ~Copyable {
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
            ["upstreams"] + arguments + patientOptions(socket: daemon.path),
            environment: ["NO_COLOR": "", "XDG_RUNTIME_DIR": ""]
        )
    }

    @Test("the servers are numbered in the order in which a client gets them")
    func lists() throws {
        let result = try run("--hash", "::ffff:192.0.2.7")
        #expect(result.exit == .code(0))
        #expect(
            result.standardOutput == """
                UPSTREAM  CHOSEN BY    NUMBER  SERVER                       STATE       WEIGHT
                app       source            1  10.0.0.3:80                  up               1
                                            2  app.internal:80              unchecked     0.55
                                            3  unix:/run/app.sock (backup)  up               1
                                            -  10.0.0.2:80                  up, full         1
                                            -  10.0.0.1:80                  drain (up)       1
                db        destination       -  10.0.0.9:5432                down             2

                2 upstreams listed.

                """
        )
        let json = try run("--hash", Sample.rankedKey, "--json=short").standardOutput
        let beginning = #"{"rankings":[{"hashKey":"source","servers":[{"address":"10.0.0.3:80","#
        #expect(json.hasPrefix(beginning))
    }

    @Test("in a window of 60 columns, the kind of key and the weights are left out")
    func fits() {
        let narrow = Terminal(isInteractive: true, hasColor: false, columns: 60)
        let table = rankingTable(Sample.rankings)
        let lines = table.lines(header: true, on: narrow)
        #expect(lines.allSatisfy { $0.description.count <= 60 })
        #expect(lines.first?.description == "UPSTREAM  NUMBER  SERVER                       STATE")
    }

    @Test("the exit status is 4 if no upstream chooses by the key, or there is no such upstream")
    func refuses() throws {
        let name = try run("--hash", "Shop.example.com")
        #expect(name.exit == .code(4))
        #expect(
            name.standardError == """
                verypollctl: no upstream chooses its servers by server name; see "balance" and \
                "hashKey" in verypolld.json(5)

                """
        )
        let other = try run("--hash", "192.0.2.8", "--upstream", "app")
        #expect(other.exit == .code(4))
        #expect(other.standardError.hasPrefix("verypollctl: the upstream \"app\" does not choose"))
        let unknown = try run("--hash", Sample.rankedKey, "--upstream", "none")
        #expect(unknown.exit == .code(4))
        #expect(unknown.standardError.contains("none"))
    }

    @Test("one upstream can be listed")
    func choosesUpstream() throws {
        let one = try run("--upstream", "db")
        #expect(one.exit == .code(0))
        #expect(one.standardOutput.hasSuffix("\n1 upstream listed.\n"))
        let unknown = try run("--upstream", "none")
        #expect(unknown.exit == .code(4))
        #expect(unknown.standardError == "verypollctl: no upstream is named \"none\"\n")
    }

    @Test("a key that is neither an address nor a name is wrong usage")
    func checksKeys() throws {
        let result = try run("--hash", "192.0.2.7:80")
        #expect(result.exit == .code(2))
        #expect(result.standardError.contains("neither an IP address without a port"))
    }
}
