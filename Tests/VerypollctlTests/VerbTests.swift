import Console
import TestSupport
import Testing
import VerypollControl

@testable import verypollctl

/// Runs verbs that change something, as a process against a daemon with fixed answers.
@Suite("verypollctl: verbs that change something")
struct VerbTests: ~Copyable {
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

    private func run(_ arguments: String...) throws -> Program.Result { try run(arguments) }

    private func run(_ arguments: [String]) throws -> Program.Result {
        try Program.run(
            "verypollctl",
            arguments + patientOptions(socket: daemon.path),
            environment: ["TZ": "UTC", "NO_COLOR": "", "XDG_RUNTIME_DIR": ""]
        )
    }

    private func expectRefusal(_ message: String, _ arguments: String...) throws {
        let result = try run(arguments)
        #expect(result.exit == .code(4), "\(arguments)")
        #expect(result.standardOutput == "")
        #expect(result.standardError == "verypollctl: \(message)\n")
    }

    @Test("a successful action prints nothing")
    func acts() throws {
        for result in [
            try run("drain"), try run("drain", "echo", "--deadline", "1min 30s"),
            try run("resume"), try run("resume", "web"),
            try run("server", "set", "app", "10.0.0.1:80", "--state", "drain"),
            try run("server", "set", "app", "10.0.0.1:80", "--weight", "7", "--state=up"),
            try run("log-level", "debug"),
        ] {
            #expect(result.exit == .code(0))
            #expect(result.standardOutput == "")
            #expect(result.standardError == "")
        }
        #expect(try run("drain", "--json=short").standardOutput == "{}\n")
    }

    @Test("a missing listener, server or session exits with 4 and is named")
    func refuses() throws {
        try expectRefusal("no listener is named \"mail\"", "drain", "mail")
        try expectRefusal("no listener is named \"mail\"", "resume", "mail")
        try expectRefusal(
            "no upstream is named \"ap\"",
            "server",
            "set",
            "ap",
            "a:1",
            "--weight",
            "2"
        )
        try expectRefusal(
            "the upstream \"app\" has no server \"a:1\"",
            "server",
            "set",
            "app",
            "a:1",
            "--state",
            "down"
        )
        try expectRefusal("there is no session 99", "sessions", "show", "99")
    }

    @Test("an invalid time span is wrong usage, reported as by the daemon")
    func refusesSpan() throws {
        let result = try run("drain", "--deadline", "soon")
        #expect(result.exit == .code(2))
        #expect(result.standardError.contains("\"deadline\""))
    }

    @Test("waiting for a listener that does not drain reports the reason")
    func refusesWaiting() throws {
        let result = try run("drain", "echo", "--wait")
        #expect(result.exit == .code(1))
        #expect(
            result.standardError == "verypollctl: the listener \"echo\" accepts connections again\n"
        )
    }

    @Test("a session is printed with a line for each field that is set")
    func showsSession() throws {
        let result = try run("sessions", "show", "12")
        #expect(result.exit == .code(0))
        let lines = result.standardOutput.split(separator: "\n").map(String.init)
        #expect(lines.first == "   Session: 12")
        #expect(lines.contains("  Listener: web"))
        #expect(lines.contains("     State: half-closed"))
        #expect(!lines.contains { $0.contains("Upstream:") || $0.contains("Local:") })
        let json = try run("sessions", "show", "12", "--json=short").standardOutput
        #expect(json.hasPrefix(#"{"session":{"buffered":"#))
    }

    @Test("reload and config diff print a line for each change")
    func printsChanges() throws {
        let file = try directory.write("{}", to: "new.json")
        for result in [try run("reload"), try run("config", "diff", file)] {
            #expect(result.exit == .code(0))
            #expect(
                result.standardOutput == """
                    - /listeners/web/listen: ["[::]:8080"]
                    ~ /workers: 1 → 2

                    """
            )
            #expect(result.standardError == "")
        }
        #expect(
            try run("reload", "--json=short").standardOutput.hasPrefix(#"{"changes":[{"before":"#)
        )
    }

    @Test("with --sysexits, a failed reload has a status that systemd knows by name")
    func failsForSystemd() throws {
        let path = directory.appending("none.sock")
        let words = ["reload", "--socket", path]
        #expect(try Program.run("verypollctl", words).exit == .code(3))
        #expect(try Program.run("verypollctl", words + ["--sysexits"]).exit == .code(69))
        #expect(try run("reload", "--sysexits").exit == .code(0))
        #expect(ExitStatus.invalidConfiguration.sysexit == 78)
    }

    @Test("problems use the file name that the user gave, and exit with 5")
    func printsProblems() throws {
        let file = try directory.write("[]", to: "bad.json")
        for verb in ["check", "diff"] {
            let result = try run("config", verb, file)
            #expect(result.exit == .code(5))
            #expect(result.standardOutput == "")
            #expect(result.standardError == "\(file):1:2: must be an object\n")
        }
        let problems =
            #""problems":[{"column":2,"file":"\#(file)","line":1,"message":"must be an object","#
            + #""pointer":""}]"#
        #expect(
            try run("config", "check", file, "--json=short").standardOutput
                == "{\(problems),\"valid\":false}\n"
        )
        #expect(
            try run("config", "diff", file, "--json=short").standardOutput == "{\(problems)}\n"
        )
    }

    @Test("an unreadable file is an invalid configuration")
    func cannotRead() throws {
        let file = directory.appending("none.json")
        let result = try run("config", "check", file)
        #expect(result.exit == .code(5))
        #expect(result.standardError == "\(file): can't be read: no such file\n")
        let folder = try run("config", "check", directory.path)
        #expect(folder.exit == .code(5))
        #expect(folder.standardError.hasPrefix("\(directory.path): can't be read: "))
    }

    @Test("a daemon with the built-in default shows its configuration, but has no file")
    func usesBuiltIn() throws {
        let shown = try run("config", "show")
        #expect(shown.exit == .code(0))
        #expect(shown.standardOutput == "{\n  \"workers\" : 2\n}\n")
        #expect(
            try run("config", "show", "--json=short").standardOutput
                == "{\"config\":{\"workers\":2}}\n"
        )
        let checked = try run("config", "check")
        #expect(checked.exit == .code(0))
        #expect(
            checked.standardOutput == "the built-in default: the configuration is valid\n"
        )
        let compared = try run("config", "diff")
        #expect(compared.exit == .code(1))
        #expect(compared.standardError.contains("name a file"))
    }

    @Test("without an argument, the log level is printed")
    func printsLevel() throws {
        #expect(try run("log-level").standardOutput == "info\n")
        #expect(try run("log-level", "-j").standardOutput == "{\"logLevel\":\"info\"}\n")
    }

    @Test("a drain appears in the tables with the remaining time")
    func showsDrain() {
        var listener = Sample.status.listeners[0]
        listener.state = .draining
        listener.drainDeadlineTimestampUSec = Sample.start + 25_000_000
        let terminal = Terminal(isInteractive: false, hasColor: false, columns: nil)
        let lines = listenerTable([listener], now: Sample.start)
            .lines(header: false, on: terminal)
        #expect(lines.contains("  └ closes remaining sessions in 25s"))
        var status = Sample.status
        status.state = .draining
        status.drainDeadlineTimestampUSec = Sample.start + 25_000_000
        let report = StatusReport(status: status, now: Sample.start, terminal: terminal)
        #expect(
            report.lines(hasLegend: true)
                .contains("      Drain: remaining sessions are closed in 25s")
        )
    }

    @Test(
        "every verb exits with 3 if no daemon can be reached",
        arguments: [
            ["status"], ["sessions"], ["sessions", "show", "1"], ["sessions", "watch"],
            ["drain"], ["resume"], ["server", "set", "a", "b:1", "--weight", "1"], ["reload"],
            ["config", "show"], ["config", "diff"], ["monitor"], ["top"], ["log-level"],
            ["log-level", "info"], ["metrics"],
        ]
    )
    func cannotReach(arguments: [String]) throws {
        let path = directory.appending("none.sock")
        let result = try Program.run("verypollctl", arguments + ["--socket", path])
        #expect(result.exit == .code(3))
        #expect(result.standardOutput == "")
        #expect(result.standardError.hasPrefix("verypollctl: cannot reach verypolld at \(path): "))
    }
}
