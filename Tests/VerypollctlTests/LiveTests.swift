import Glibc
import StrictJSON
import TestSupport
import Testing

/// Runs the command against a real daemon.
@Suite("verypollctl and verypolld")
struct LiveTests {
    @Test("monitor prints the current state, then a line for each event, until the daemon stops")
    func monitors() throws {
        let daemon = try RealDaemon()
        let monitor = try daemon.start("monitor")
        try monitor.waitForStandardOutput(containing: "  status  running, 2 listeners, 0 sessions")
        let id = try openAndClose(daemon)
        try monitor.waitForStandardOutput(containing: "  session-opened  \(id) echo from unix:")
        let closed = try monitor.waitForStandardOutput(containing: "  session-closed  \(id) echo")
        #expect(closed.contains(", 1B in, 1B out: both ways ended"))
        #expect(try daemon.run("drain", "web").exit == .code(0))
        try monitor.waitForStandardOutput(containing: "  drain-begun  web, by verypollctl (uid ")
        try monitor.waitForStandardOutput(containing: "  listener-changed  web drain")
        try monitor.waitForStandardOutput(containing: "  drain-done  web")
        #expect(try daemon.run("resume", "web").exit == .code(0))
        try monitor.waitForStandardOutput(containing: "  drain-ended  web, by verypollctl (uid ")
        #expect(
            try daemon.run("server", "set", "app", "127.0.0.1:9", "--state=down").exit == .code(0)
        )
        try monitor.waitForStandardOutput(
            containing: "  server-set  app 127.0.0.1:9 down (up), weight 1, by verypollctl (uid "
        )
        try monitor.waitForStandardOutput(containing: "  server-down  app 127.0.0.1:9 down (up)")
        #expect(try daemon.run("reload").exit == .code(0))
        try monitor.waitForStandardOutput(containing: "  reloaded  0 changes, by verypollctl (uid ")
        #expect(try daemon.run("log-level", "debug").exit == .code(0))
        try monitor.waitForStandardOutput(containing: "  log-level-set  debug, by verypollctl")
        #expect(try daemon.run("sessions", "kill", "--peer", "10.0.0.0/8").exit == .code(0))
        try monitor.waitForStandardOutput(containing: "  sessions-killed  0 sessions, by very")

        try daemon.program.send(SIGTERM)
        #expect(try monitor.waitForExit() == .code(3))
        #expect(try monitor.standardError.contains("the connection was closed"))
    }

    /// Opens and closes a session on the listener echo, and returns its number.
    private func openAndClose(_ daemon: borrowing RealDaemon) throws -> Int {
        let client = try daemon.session(on: "echo")
        let session = try eventually("the earlier sessions to end") {
            let list = try daemon.run("sessions", "--no-legend").standardOutput
            let lines = list.split(separator: "\n")
            return lines.count == 1 ? lines[0] : nil
        }
        try client.finishSending()
        #expect(try client.receiveToEnd() == [])
        return try #require(session.split(separator: " ").first.flatMap { Int($0) })
    }

    @Test("sessions watch prints only the matching session events, as JSON on request")
    func watches() throws {
        let daemon = try RealDaemon()
        let all = try daemon.start("sessions", "watch", "--json=short")
        let some = try daemon.start("sessions", "watch", "--listener", "web")
        // Both commands are watching once each has reported a new session.
        try eventually("both commands to watch") {
            _ = try daemon.session(on: "web")
            return try all.standardOutput.contains("session-opened")
                && some.standardOutput.contains("session-opened")
        }
        let id = try openAndClose(daemon)
        for event in ["session-opened", "session-closed"] {
            try eventually("\(event) of \(id)") {
                try all.standardOutput.split(separator: "\n").contains { line in
                    line.contains(#""event":"\#(event)""#) && line.contains(#""id":\#(id),"#)
                }
            }
        }
        #expect(try !all.standardOutput.contains(#""event":"status""#))
        try some.waitForStandardOutput(containing: "session-closed")
        #expect(try !some.standardOutput.contains(" \(id) echo"))
    }

    @Test("top prints the requested number of tables without escape sequences, or JSON lines")
    func tops() throws {
        let daemon = try RealDaemon()
        let client = try daemon.session(on: "echo")
        defer { withExtendedLifetime(client) {} }
        let text = try daemon.run("top", "--batch", "-n", "2", "-d", "0.1")
        #expect(text.exit == .code(0))
        #expect(text.standardError == "")
        #expect(!text.standardOutput.contains("\u{1B}"))
        #expect(text.standardOutput.split(separator: "\n").count { $0.hasPrefix("LISTENER") } == 2)
        #expect(text.standardOutput.contains("\necho      accepting         1"))
        #expect(text.standardOutput.contains("\nWORKER  SESSIONS  BUSY\n"))
        let endless = try daemon.start("top", "--batch", "-d", "0.05")
        try endless.waitForStandardOutput(containing: "\n\nverypolld ")
        let json = try daemon.run("top", "-n", "3", "-d", "0.05", "--json=short").standardOutput
        let lines = json.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(!lines.contains { !$0.hasPrefix(#"{"active":1,"intervalUSec":"#) })
    }

    @Test("top continues after the daemon has stopped and another one was started")
    func survivesRestart() throws {
        let daemon = try RealDaemon()
        let top = try daemon.start("top", "--batch", "-d", "0.05")
        try top.waitForStandardOutput(containing: "verypolld ")
        try daemon.program.send(SIGTERM)
        #expect(try daemon.program.waitForExit() == .code(0))
        try top.waitForStandardError(containing: "verypolld is not reachable, retrying: cannot")
        let former = try top.standardOutput.count
        let next = try Program("verypolld", ["--config", daemon.file])
        try next.waitForStandardError(containing: "is ready")
        try eventually("another sample") { try top.standardOutput.count > former }
    }

    @Test("drain --wait follows until no session is left, and resume accepts again")
    func drains() throws {
        let daemon = try RealDaemon()
        let client = try daemon.session(on: "echo")
        let drain = try daemon.start("drain", "echo", "--wait", "--deadline", "1h")
        try drain.waitForStandardError(containing: "echo: ")
        try client.finishSending()
        #expect(try drain.waitForExit() == .code(0))
        #expect(try drain.standardError.hasSuffix("echo: 0 sessions left\n"))
        #expect(try daemon.run("listeners").standardOutput.contains("  drained "))
        #expect(try daemon.run("resume").exit == .code(0))
        let again = try daemon.session(on: "echo")
        defer { withExtendedLifetime(again) {} }
        #expect(try daemon.run("listeners").standardOutput.contains("  accepting "))
    }

    @Test("the output of config show is an equivalent configuration")
    func showsConfiguration() throws {
        let daemon = try RealDaemon()
        let shown = try daemon.run("config", "show").standardOutput
        let copy = try daemon.directory.write(shown, to: "copy.json")
        let checked = try daemon.run("config", "check", copy)
        #expect(checked.standardOutput == "\(copy): the configuration is valid\n")
        let diff = try daemon.run("config", "diff", copy)
        #expect(diff.exit == .code(0))
        #expect(diff.standardOutput == "")
        #expect(diff.standardError == "\(copy) changes nothing.\n")
        let other = try daemon.directory.write(
            shown.replacing("\"1h\"", with: "\"2h\""),
            to: "other.json"
        )
        #expect(
            try daemon.run("config", "diff", other).standardOutput == """
                ~ /listeners/echo/timeouts/idle: "1h" → "2h"
                ~ /listeners/web/timeouts/idle: "1h" → "2h"

                """
        )
        #expect(try daemon.run("config", "check").standardOutput.hasPrefix(daemon.file))
    }

    @Test("a rejected reload prints every problem and exits with 5")
    func refusesReload() throws {
        let daemon = try RealDaemon()
        _ = try daemon.directory.write("{\n\"workers\": 0}", to: "verypolld.json")
        let result = try daemon.run("reload")
        #expect(result.exit == .code(5))
        #expect(result.standardOutput == "")
        #expect(result.standardError.contains("\(daemon.file):2:12: /workers: must be "))
        #expect(try daemon.run("ping").exit == .code(0))
    }

    @Test("without a daemon, config check checks the file itself")
    func checksWithoutDaemon() throws {
        let directory = try TemporaryDirectory()
        let socket = ["--socket", directory.appending("none")]
        let good = try directory.write(
            #"{"listeners": {"e": {"listen": ["127.0.0.1:0"], "handler": {"type": "echo"}}}}"#,
            to: "good.json"
        )
        let bad = try directory.write("{\n\"workers\": 0}", to: "bad.json")
        let valid = try Program.run("verypollctl", ["config", "check", good] + socket)
        #expect(valid.exit == .code(0), "\(valid.standardError)")
        #expect(valid.standardOutput == "\(good): the configuration is valid\n")
        let invalid = try Program.run("verypollctl", ["config", "check", bad] + socket)
        #expect(invalid.exit == .code(5))
        #expect(invalid.standardOutput == "")
        #expect(invalid.standardError.contains("\(bad):2:12: /workers: must be "))
        let json = try Program.run("verypollctl", ["config", "check", bad, "-j"] + socket)
        #expect(json.exit == .code(5))
        let list = try JSONDocument(parsing: Array(json.standardOutput.utf8)).root
        #expect(list["valid"] == false)
        let problems = try #require(list["problems"]?.array)
        #expect(problems.contains { $0["line"] == 2 && $0["pointer"] == "/workers" })
        #expect(problems.allSatisfy { $0["file"] == .string(bad) })
    }

    @Test("without a daemon, config check prints the same as verypolld --check-config")
    func checksAsDaemon() throws {
        let directory = try TemporaryDirectory()
        let listener = #"{"listen": ["127.0.0.1:0"], "handler": {"type": "echo"}}"#
        func failing(_ count: Int) -> String {
            let addresses = Array(repeating: "1", count: count).joined(separator: ",")
            return #"{"listeners": {"e": {"listen": [\#(addresses)]}}}"#
        }
        let texts = [
            #"{"listeners": {"e": \#(listener)}}"#, "", "{\"a\": 1,\n}", failing(100), failing(999),
            #"{"listeners": {"e": \#(listener)}, "limits": {"maxSessions": 100000000}}"#,
        ]
        var files = [directory.path, directory.appending("missing")]
        for (index, text) in texts.enumerated() {
            files.append(try directory.write(text, to: "\(index).json"))
        }
        for (file, limit) in files.map({ ($0, "1024") }) + [(files[2], "20")] {
            func run(_ program: String, _ words: [String]) throws -> Program.Result {
                let shell = "ulimit -n \(limit); exec \"$@\""
                let start = ["-c", shell, "sh", Program.path(of: program)]
                return try Program.run("sh", start + words)
            }
            let socket = ["--socket", directory.appending("none")]
            let own = try run("verypollctl", ["config", "check", file] + socket)
            let daemon = try run("verypolld", ["--check-config", file])
            #expect(own.standardOutput == daemon.standardOutput)
            #expect(own.standardError == daemon.standardError)
            #expect(own.exit == .code(daemon.exit == .code(0) ? 0 : 5))
            #expect([.code(0), .code(78)].contains(daemon.exit))
        }
    }

    @Test(
        "without a daemon and a file, config check checks the built-in default",
        .enabled(if: unsafe access("/etc/verypolld/verypolld.json", F_OK) != 0)
    )
    func checksDefault() throws {
        let directory = try TemporaryDirectory()
        let words = ["config", "check", "--socket", directory.appending("none")]
        let result = try Program.run("verypollctl", words)
        #expect(result.exit == .code(0))
        #expect(result.standardOutput == "the built-in default: the configuration is valid\n")
    }

    @Test("setting the log level affects the whole daemon")
    func setsLevel() throws {
        let daemon = try RealDaemon()
        #expect(try daemon.run("log-level").standardOutput == "info\n")
        #expect(try daemon.run("log-level", "debug").exit == .code(0))
        #expect(try daemon.run("log-level").standardOutput == "debug\n")
    }

    @Test("bash completes verbs and names from the daemon")
    func completes() throws {
        let daemon = try RealDaemon()
        let client = try daemon.session(on: "echo")
        defer { withExtendedLifetime(client) {} }
        let script = try Program.run("verypollctl", ["--generate-completion-script", "bash"])
        #expect(script.exit == .code(0))
        let file = try daemon.directory.write(script.standardOutput, to: "completion.bash")
        func complete(_ words: [String]) throws -> [String] {
            let program = """
                PATH=\(Program.buildDirectory):$PATH; source \(file); COMP_WORDS=("$@")
                COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
                _verypollctl verypollctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            let result = try Program.run("bash", ["-c", program, "bash", "verypollctl"] + words)
            #expect(result.standardError == "")
            return result.standardOutput.split(separator: "\n").map(String.init)
        }
        /// Retries, because completion returns nothing if the daemon does not answer at once.
        func completeFromDaemon(_ words: String...) throws -> [String] {
            try eventually("an immediate answer") {
                let completed = try complete(words)
                return completed.isEmpty ? nil : completed
            }
        }
        #expect(try complete(["sess"]) == ["sessions"])
        #expect(try complete(["config", "sh"]) == ["show"])
        let socket = daemon.controlPath
        #expect(try completeFromDaemon("drain", "--socket", socket, "") == ["echo", "web"])
        #expect(try completeFromDaemon("--socket", socket, "server", "set", "") == ["app"])
        #expect(
            try completeFromDaemon("--socket", socket, "server", "set", "app", "")
                == ["unix:" + daemon.directory.appending("echo"), "127.0.0.1:9"]
        )
        #expect(try completeFromDaemon("--socket", socket, "sessions", "kill", "").count == 1)
        #expect(try complete(["--socket", "/none", "drain", ""]) == [])
    }

    @Test("scripts for all three shells are generated", arguments: ["bash", "zsh", "fish"])
    func makesScripts(shell: String) throws {
        let result = try Program.run("verypollctl", ["--generate-completion-script", shell])
        #expect(result.exit == .code(0))
        #expect(result.standardError == "")
        for verb in ["sessions", "drain", "server", "config", "log-level", "monitor"] {
            #expect(result.standardOutput.contains(verb))
        }
    }
}
