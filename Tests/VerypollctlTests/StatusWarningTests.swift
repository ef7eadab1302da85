import Console
import TestSupport
import Testing
import VerypollControl

@testable import verypollctl

@Suite("Status warnings")
struct StatusWarningTests {
    private static let second = 1_000_000

    /// A status without anything to warn of.
    private var calm: Status {
        var status = Sample.status
        status.note = nil
        status.listeners[1].state = .accepting
        status.listeners[1].stateReason = nil
        status.listeners[1].active = 1
        status.upstreams = [status.upstreams[0]]
        status.upstreams[0].servers = [status.upstreams[0].servers[0]]
        return status
    }

    private func texts(_ status: Status, fileTime: Int? = nil) -> [String] {
        let now = Sample.start + 100 * Self.second
        return StatusWarning.all(of: status, fileTime: fileTime, now: now).map(\.text)
    }

    @Test("a daemon that is well has no warnings")
    func isCalm() {
        #expect(texts(calm).isEmpty)
        #expect(
            checkLine(of: StatusAnswer(status: calm, warnings: []))
                == "OK: 2 listeners, 14 sessions"
        )
    }

    @Test("the warnings name servers, paused listeners, waiting sessions and limits")
    func warns() {
        #expect(
            texts(Sample.status) == [
                "upstream app: 1 of 3 servers down: unix:/run/app.sock",
                "upstream db: no server is available",
                "upstream db: 1 of 2 servers unresolved: db.internal:5432",
                "upstream db: 1 of 2 servers ejected: 10.0.0.9:5432",
                "upstream db: 3 sessions wait for room",
                "listener web is paused: session limit reached",
                "listener web has 2 of at most 2 sessions",
                "upstream db has 5 of at most 5 sessions",
            ]
        )
    }

    @Test("a limit needs attention from 90 percent on")
    func warnsOfLimits() {
        var status = calm
        status.totals.maxSessions = 1_000
        status.totals.active = 899
        #expect(texts(status).isEmpty)
        status.totals.active = 900
        #expect(texts(status) == ["the daemon has 900 of at most 1000 sessions"])
    }

    @Test("an upstream whose servers an operator has set down has no server")
    func warnsOfMode() {
        var status = calm
        status.upstreams[0].servers[0].mode = .down
        #expect(texts(status) == ["upstream app: no server is available"])
    }

    @Test("a service whose servers can't be looked up needs attention")
    func warnsOfDiscovery() {
        var status = calm
        var service = Status.Service(
            name: "_app._tcp.example",
            servers: 1,
            answerTimestampUSec: Sample.start - 90_000_000,
            isNotOffered: false,
            failure: nil,
            failures: 0
        )
        status.upstreams[0].services = [service]
        #expect(texts(status).isEmpty)
        service.failure = "timed out"
        status.upstreams[0].services = [service]
        let warnings = StatusWarning.all(of: status, fileTime: nil, now: Sample.start)
        let text =
            "upstream app: _app._tcp.example is not found: timed out; the answer of 1min 30s ago"
            + " is kept"
        #expect(warnings.map(\.text) == [text])
    }

    @Test("a server that is out of service because an operator has set its mode is not down")
    func forgivesOrders() {
        var status = calm
        var server = status.upstreams[0].servers[0]
        server.address = "10.1.0.1:80"
        server.state = .down
        for mode in [Status.Server.Mode.drain, .down] {
            server.mode = mode
            status.upstreams[0].servers = [status.upstreams[0].servers[0], server]
            #expect(texts(status).isEmpty)
        }
    }

    @Test("listeners that are drained and a daemon that does not run need attention")
    func warnsOfDrains() {
        var status = calm
        status.listeners[0].state = .draining
        status.listeners[1].state = .drained
        #expect(texts(status) == ["listener echo is draining", "listener web is drained"])
        let warnings = StatusWarning.all(of: status, fileTime: nil, now: Sample.start)
        #expect(warnings.map(\.kind) == [.notAccepting, .notAccepting])
        status.state = .draining
        #expect(texts(status) == ["the daemon is draining"])
    }

    @Test("the limit of a server needs attention too")
    func warnsOfServerLimits() {
        var status = calm
        status.upstreams[0].servers[0].maxSessions = 9
        #expect(texts(status).isEmpty)
        status.upstreams[0].servers[0].maxSessions = 8
        #expect(texts(status) == ["server app/10.0.0.1:80 has 8 of at most 8 sessions"])
    }

    @Test("many servers are counted, and some named")
    func counts() {
        var status = calm
        var server = status.upstreams[0].servers[0]
        for number in 1...9 {
            server.address = "10.1.0.\(number):80"
            server.state = .down
            status.upstreams[0].servers.append(server)
        }
        #expect(
            texts(status) == [
                "upstream app: 9 of 10 servers down: 10.1.0.1:80, 10.1.0.2:80, 10.1.0.3:80 and 6 more"
            ]
        )
    }

    @Test("a refused reload is first, and a file that is newer than the configuration otherwise")
    func warnsOfConfiguration() {
        var status = calm
        let read = Sample.start + 10 * Self.second
        status.configurationReadTimestampUSec = read
        #expect(texts(status, fileTime: read).isEmpty)
        #expect(
            texts(status, fileTime: read + 60 * Self.second) == [
                "a configuration file was changed 30s ago and is not reloaded"
                    + " (see: verypollctl config diff)"
            ]
        )
        status.lastReload = Status.LastReload(
            timestampUSec: Sample.start + 95 * Self.second,
            problems: 2
        )
        status.lateChange = "waiting for worker 1"
        #expect(
            texts(status, fileTime: read + 60 * Self.second) == [
                "the last reload was refused 5s ago: 2 problems (see: verypollctl config check)",
                "waiting for worker 1",
            ]
        )
        status.lastReload = Status.LastReload(timestampUSec: Sample.start, changes: 1)
        status.lateChange = nil
        #expect(texts(status).isEmpty)
    }

    @Test("the newest file of the configuration counts, also behind a link")
    func findsNewest() throws {
        let folder = try TemporaryDirectory()
        func file(_ name: String, at seconds: Int) throws -> String {
            let path = try folder.write("{}", to: name)
            let result = try Program.run("touch", ["-d", "@\(seconds)", path])
            #expect(result.exit == .code(0))
            return path
        }
        var status = Sample.status
        status.configurationPath = try file("main.json", at: 1_000)
        #expect(StatusWarning.modificationTime(of: status) == 1_000 * Self.second)
        let included = try file("included.json", at: 2_000)
        let link = folder.appending("link.json")
        // The link itself is new.
        #expect(try Program.run("ln", ["-s", included, link]).exit == .code(0))
        status.configurationFiles = [folder.appending("main.json"), link, "/nonexistent"]
        #expect(StatusWarning.modificationTime(of: status) == 2_000 * Self.second)
        status.configurationFiles = ["/nonexistent"]
        #expect(StatusWarning.modificationTime(of: status) == nil)
    }

    @Test("warnings come first in the report, and replace the note")
    func reports() {
        let plain = Terminal(isInteractive: false, hasColor: false, columns: nil)
        let warnings = StatusWarning.all(of: Sample.status, fileTime: nil, now: Sample.start)
        let lines = StatusReport(
            status: Sample.status,
            now: Sample.start,
            terminal: plain,
            warnings: warnings
        ).lines(hasLegend: true).map(\.description)
        #expect(lines[1] == "  Attention: upstream app: 1 of 3 servers down: unix:/run/app.sock")
        #expect(lines[2] == "             upstream db: no server is available")
        #expect(!lines.contains { $0.contains("Note:") })
    }
}
