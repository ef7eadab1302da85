import TestSupport
import Testing
import VerypollControl

@testable import verypollctl

/// Runs the command as a process against a daemon with fixed answers.
@Suite("verypollctl")
struct CommandTests: ~Copyable {
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
        try runCommand(arguments + patientOptions(socket: daemon.path))
    }

    private func runCommand(
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> Program.Result {
        var variables = ["TZ": "UTC", "NO_COLOR": "", "XDG_RUNTIME_DIR": ""]
        variables.merge(environment) { _, new in new }
        return try Program.run("verypollctl", arguments, environment: variables)
    }

    @Test("the status is the default verb, and is written to standard output without colors")
    func printsStatus() throws {
        let result = try run()

        #expect(result.exit == .code(0))
        #expect(result.standardError == "")
        #expect(result.standardOutput.hasPrefix("● verypolld - version 1.2.3\n"))
        #expect(!result.standardOutput.contains("\u{1B}"))
        #expect(try run("status").standardOutput.hasPrefix("● verypolld - version 1.2.3\n"))
    }

    @Test("listeners are a table with a header and a count")
    func printsListeners() throws {
        let result = try run("listeners")

        #expect(result.exit == .code(0))
        #expect(
            result.standardOutput == """
                LISTENER  ADDRESS              HANDLER  STATE      SESSIONS  ACCEPTED  REJECTED\
                      IN    OUT
                echo      127.0.0.1:7007       echo     accepting        12      5120         0\
                  117.7M  1000B
                          [::1]:7007
                web       [::]:8080 (systemd)  discard  paused       2 of 2        77         3\
                    4.7G     0B
                  └ session limit reached

                2 listeners listed.

                """
        )
    }

    @Test("upstreams are a table with a header and a count, or JSON")
    func printsUpstreams() throws {
        let text = try run("upstreams").standardOutput
        #expect(text.hasPrefix("UPSTREAM  SERVER "))
        #expect(text.hasSuffix("\n\n2 upstreams listed.\n"))
        #expect(text.contains(": No such file or directory\n"))

        let json = try run("upstreams", "-j").standardOutput
        #expect(json.hasPrefix(#"{"upstreams":[{"active":12,"balance":"roundRobin","name":"app","#))
        #expect(
            json.contains(
                #""resolvedAddresses":["10.0.0.5:80","[2001:db8::5]:80"],"sessions":400,"#
            )
        )
    }

    @Test("metrics are printed unchanged, or as JSON")
    func printsMetrics() throws {
        let result = try run("metrics")
        #expect(result.exit == .code(0))
        #expect(result.standardOutput == "# TYPE a gauge\na{b=\"c\"} 1\n# EOF\n")
        let json = try run("metrics", "--json=short").standardOutput
        #expect(json == ##"{"text":"# TYPE a gauge\na{b=\"c\"} 1\n# EOF\n"}"## + "\n")
    }

    @Test("without the legend, only rows are printed")
    func omitsLegend() throws {
        let result = try run("sessions", "--no-legend")

        #expect(
            result.standardOutput == """
                 7  echo  10.0.0.1:50000  -  open           1d 1h  1min 1s   64B  64B    0B  0  \
                127.0.0.1:7007
                12  web   [::1]:50001     -  half-closed  2h 0min      1ms  2.0K   0B  1.4M  1  -

                """
        )
    }

    @Test("session list options work in any position")
    func listsSessions() throws {
        for arguments in [["sessions"], ["sessions", "list"]] {
            let options = patientOptions(socket: daemon.path)
            let result = try runCommand(
                options + arguments + ["--listener", "web", "--no-legend"]
            )
            #expect(result.exit == .code(0))
            #expect(result.standardOutput.hasPrefix("12  web"))
            #expect(result.standardOutput.split(separator: "\n").count == 1)
        }
    }

    @Test("a client is found by its address with or without the port")
    func filtersByPeer() throws {
        for peer in ["10.0.0.1", "10.0.0.1:50000"] {
            let result = try run("sessions", "--peer", peer)
            #expect(result.standardOutput.contains("1 session listed."))
        }
        #expect(try run("sessions", "--peer", "::1").standardOutput.contains("12  web"))
        #expect(try run("sessions", "--peer", "10.0.0.2").standardOutput.contains("0 sessions"))
    }

    @Test("a truncated list is noted on standard error")
    func tellsTruncation() throws {
        let result = try run("sessions", "--limit", "1")

        #expect(result.exit == .code(0))
        #expect(result.standardOutput.contains("1 session listed."))
        #expect(result.standardError.contains("more sessions"))
    }

    @Test("an existing session can be killed")
    func kills() throws {
        let result = try run("sessions", "kill", "7")

        #expect(result.exit == .code(0))
        #expect(result.standardOutput == "1 session killed.\n")
        #expect(result.standardError == "")
        let two = try run("sessions", "kill", "99", "7", "12", "--json=short")
        #expect(two.exit == .code(4))
        #expect(two.standardOutput == "{\"count\":2}\n")
        #expect(two.standardError == "verypollctl: there is no session 99\n")
        #expect(
            try run("sessions", "kill", "--listener", "web").standardOutput
                == "1 session killed.\n"
        )
        #expect(try run("sessions", "kill", "--all").standardOutput == "2 sessions killed.\n")
    }

    @Test("sessions are sorted by the chosen key, before the limit applies")
    func sortsSessions() throws {
        for (key, first) in [
            ("id", " 7"), ("age", " 7"), ("idle", " 7"), ("in", "12"), ("out", " 7"),
            ("client", " 7"),
        ] {
            let all = try run("sessions", "--sort", key, "--no-legend")
            #expect(all.standardOutput.hasPrefix(first), "\(key)")
            #expect(all.standardError == "")
        }
        let one = try run("sessions", "--sort", "in", "--limit", "1", "--no-legend")
        #expect(one.standardOutput.hasPrefix("12"))
        #expect(one.standardOutput.split(separator: "\n").count == 1)
        #expect(one.standardError.contains("more sessions"))
    }

    @Test("a peer or a server name that can't exist is wrong usage, with a remedy")
    func refusesNonsense() throws {
        for verb in ["list", "kill"] {
            let peer = try run("sessions", verb, "--peer", "nonsense")
            #expect(peer.exit == .code(2))
            #expect(peer.standardError.contains("\"nonsense\" is not a valid client; write an"))
            let block = try run("sessions", verb, "--peer", "127.0.0.1/8")
            #expect(block.standardError.contains("write \"127.0.0.0/8\""))
            #expect(try run("sessions", verb, "--server-name", "a b").exit == .code(2))
        }
    }

    @Test("tables fit the width that the variable COLUMNS or the option sets, also in a pipe")
    func fitsWidth() throws {
        let options = patientOptions(socket: daemon.path)
        func longest(_ words: [String], _ environment: [String: String] = [:]) throws -> Int {
            let result = try runCommand(words + options, environment: environment)
            #expect(result.exit == .code(0))
            return result.standardOutput.split(separator: "\n").map(\.count).max() ?? 0
        }
        for verb in ["status", "listeners", "upstreams", "sessions"] {
            #expect(try longest([verb]) > 80)
            #expect(try longest([verb], ["COLUMNS": "80"]) <= 80, "\(verb)")
            #expect(try longest([verb, "--width", "80"]) <= 80, "\(verb)")
            #expect(try longest([verb, "--width", "0"], ["COLUMNS": "80"]) > 80)
        }
    }

    @Test("ping and version report who answers")
    func pings() throws {
        #expect(try run("ping").standardOutput == "verypolld answers at \(daemon.path)\n")
        #expect(
            try run("version").standardOutput
                == "verypollctl \(Release.version)\nverypolld 1.2.3\n"
        )
    }

    @Test("JSON is one line if short, and indented if pretty")
    func printsJSON() throws {
        let short = try run("sessions", "--listener", "nobody", "--json=short")
        #expect(short.exit == .code(4))
        #expect(
            try run("sessions", "--peer", "1.1.1.1", "--json=short").standardOutput
                == #"{"sessions":[],"truncated":false}"# + "\n"
        )
        #expect(try run("ping", "-j").standardOutput == "{}\n")
        #expect(
            try run("version", "--json=pretty").standardOutput == """
                {
                  "verypollctl" : "\(Release.version)",
                  "verypolld" : "1.2.3"
                }

                """
        )
        #expect(try run("ping", "-j", "--json=off").standardOutput.hasPrefix("verypolld answers"))
    }

    @Test("the JSON status has every field")
    func printsStatusAsJSON() throws {
        let text = try run("status", "--json=short").standardOutput

        #expect(text.hasPrefix(#"{"configurationPath":"/etc/verypolld/verypolld.json","#))
        #expect(
            text.contains(
                #""totals":{"accepted":5197,"active":14,"bytesIn":5123456789,"bytesOut":1000,"#
                    + #""maxSessions":100000,"rejected":3}"#
            )
        )
        #expect(text.contains(#""workers":[{"busyShare":0.123,"events":200300,"index":0,"#))
        #expect(text.contains(#""warnings":[{"kind":"serverDown","text":"#))
    }

    @Test("status --check prints one line, and its exit status says whether all is well")
    func checks() throws {
        let result = try run("status", "--check")
        #expect(result.exit == .code(1))
        #expect(result.standardOutput.hasPrefix("WARNING: "))
        #expect(result.standardOutput.split(separator: "\n").count == 1)
        #expect(result.standardError == "")
        #expect(try run("status").exit == .code(0))
    }

    @Test(
        "wrong usage exits with 2 and explains the error on standard error",
        arguments: [
            ["no-such-verb"], ["--no-such-option"], ["sessions", "kill"],
            ["sessions", "kill", "seven"], ["sessions", "--limit", "0"],
            ["sessions", "kill", "7", "--all"], ["sessions", "kill", "--all", "--peer", "::1"],
            ["sessions", "--sort", "size"], ["sessions", "--width", "-1"],
            ["sessions", "--limit", "10001"], ["status", "--json=xml"], ["ping", "--timeout=0"],
            ["listeners", "extra"], ["upstreams", "extra"], ["ping", "--socket", ""],
            ["sessions", "show"], ["sessions", "watch", "7"], ["drain", "a", "b"],
            ["server", "set", "app", "a:1"], ["server", "set", "app", "--state", "up"],
            ["server", "set", "app", "a:1", "--state", "off"],
            ["server", "set", "app", "a:1", "--weight", "0"], ["config", "check", "a", "b"],
            ["top", "-n", "0"], ["top", "-d", "0"], ["log-level", "loud"], ["reload", "now"],
        ]
    )
    func refusesUsage(arguments: [String]) throws {
        let result = try runCommand(arguments)

        #expect(result.exit == .code(2))
        #expect(result.standardOutput == "")
        #expect(result.standardError.contains("Usage: verypollctl"))
    }

    @Test("an unknown verb is answered with the list of verbs")
    func listsVerbs() throws {
        let result = try runCommand(["statsu"])

        #expect(result.exit == .code(2))
        #expect(result.standardError.contains("'statsu'"))
        let verbs =
            "status, listeners, upstreams, routes, sessions, drain, resume, server, reload, "
        #expect(result.standardError.contains(verbs))
    }

    @Test("help and version are written to standard output and exit with 0")
    func helps() throws {
        let help = try runCommand(["--help"])
        #expect(help.exit == .code(0))
        #expect(help.standardOutput.contains("$XDG_RUNTIME_DIR/verypolld/control.sock"))
        #expect(help.standardError == "")
        let version = try runCommand(["--version"])
        #expect(version.exit == .code(0))
        #expect(version.standardOutput == "verypollctl \(Release.version)\n")
    }

    @Test("a missing session or listener exits with 4 and is named")
    func refusesUnknown() throws {
        let session = try run("sessions", "kill", "99")
        #expect(session.exit == .code(4))
        #expect(session.standardError == "verypollctl: there is no session 99\n")
        let listener = try run("sessions", "--listener", "nobody")
        #expect(listener.exit == .code(4))
        #expect(listener.standardError == "verypollctl: no listener is named \"nobody\"\n")
    }

    @Test("an unreachable daemon exits with 3 and a hint")
    func cannotReach() throws {
        let path = directory.appending("none.sock")
        let result = try runCommand(["status", "--socket", path])

        #expect(result.exit == .code(3))
        #expect(result.standardOutput == "")
        #expect(
            result.standardError == """
                verypollctl: cannot reach verypolld at \(path): no such socket \
                (is it running? try: systemctl status verypolld)

                """
        )
        let version = try runCommand(["version", "--socket", path])
        #expect(version.exit == .code(3))
        #expect(version.standardOutput == "verypollctl \(Release.version)\n")
    }

    @Test("a socket without a listener is connection refused")
    func cannotReachStale() throws {
        let path = directory.appending("stale.sock")
        // The socket is bound but never listens: a closed listener would keep listening in another
        // test's child process until that calls execve(2).
        let server = try Server(path: path, backlog: nil)
        defer { withExtendedLifetime(server.port) {} }
        let result = try runCommand(["ping", "--socket", path])

        #expect(result.exit == .code(3))
        #expect(result.standardError.contains("connection refused"))
    }

    @Test("a daemon that never answers causes a timeout")
    func timesOut() throws {
        let path = directory.appending("mute.sock")
        let server = try Server(path: path)
        let result = try runCommand(["ping", "--timeout", "0.05", "--socket", path])
        _ = try server.accept()

        #expect(result.exit == .code(3))
        #expect(result.standardError.contains("no answer in time"))
    }

    @Test("another service that answers is not mistaken for verypolld")
    func refusesStranger() throws {
        let path = directory.appending("strange.sock")
        let server = try Server(path: path)
        let program = try Program("verypollctl", ["ping"] + patientOptions(socket: path))
        let client = try server.accept()
        try client.send("220 smtp ready\0")

        #expect(try program.waitForExit() == .code(1))
        #expect(try program.standardError.contains("does not answer like verypolld"))
    }

    @Test("the user's own daemon is used if there is no system daemon")
    func findsOwnSocket() throws {
        #expect(
            DaemonConnection.defaultPath(
                environment: ["XDG_RUNTIME_DIR": "/run/user/7"],
                exists: { $0 == "/run/user/7/verypolld/control.sock" }
            ) == "/run/user/7/verypolld/control.sock"
        )
        for environment in [[:], ["XDG_RUNTIME_DIR": "/run/user/7"]] {
            #expect(
                DaemonConnection.defaultPath(environment: environment, exists: { _ in false })
                    == "/run/verypolld/control.sock"
            )
        }
        #expect(
            DaemonConnection.defaultPath(
                environment: ["XDG_RUNTIME_DIR": "/run/user/7"],
                exists: { _ in true }
            ) == "/run/verypolld/control.sock"
        )
        let systemd = DaemonConnection.defaultPath(
            environment: ["XDG_RUNTIME_DIR": "/run/user/7"],
            exists: { $0 != "/run/verypolld/control.sock" }
        )
        #expect(systemd == "/run/verypolld.sock")
    }
}
