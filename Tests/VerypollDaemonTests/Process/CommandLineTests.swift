internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("verypolld command line")
struct CommandLineTests {
    private func run(_ arguments: String...) throws -> Program.Result {
        try Program.run("verypolld", arguments)
    }

    /// Runs the daemon with a configuration that it must reject at once.
    private func run(
        with listeners: String,
        in directory: borrowing TemporaryDirectory,
        _ arguments: [String] = []
    ) throws -> Program.Result {
        let text = """
            {"control": {"socket": "\(directory.path)/control"}, "listeners": {\(listeners)}}
            """
        let file = try directory.write(text, to: "verypolld.json")
        return try Program.run("verypolld", ["--config", file] + arguments)
    }

    @Test("--version prints the version")
    func printsVersion() throws {
        let result = try run("--version")
        #expect(result.exit == .code(0))
        #expect(result.standardOutput == "verypolld \(Release.version)\n")
        #expect(result.standardError == "")
    }

    @Test("--help prints every option and the exit statuses")
    func printsHelp() throws {
        let result = try run("--help")
        #expect(result.exit == .code(0))
        for word in ["--config", "--check-config", "--socket", "--log-level", "--version", "78"] {
            #expect(result.standardOutput.contains(word))
        }
    }

    @Test(
        "wrong usage exits with 64 and a reason",
        arguments: [
            ["--no-such-option"], ["--config"], ["file.json"], ["--log-level", "loud"],
            ["--check-config", "--config", "a.json", "b.json"],
        ]
    )
    func refusesUsage(arguments: [String]) throws {
        let result = try Program.run("verypolld", arguments)
        #expect(result.exit == .code(64))
        #expect(result.standardError.contains("Error: "))
        #expect(result.standardOutput == "")
    }

    @Test("--check-config reports a valid file, given as option or argument")
    func checksValid() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("{\"listeners\": {\(serving("echo"))}}", to: "good.json")
        for arguments in [["--check-config", file], ["--check-config", "--config", file]] {
            let result = try Program.run("verypolld", arguments)
            #expect(result.exit == .code(0))
            #expect(result.standardOutput == "\(file): the configuration is valid\n")
        }
    }

    @Test(
        "without a file, --check-config checks the built-in default",
        .enabled(if: unsafe access("/etc/verypolld/verypolld.json", F_OK) != 0)
    )
    func checksDefault() throws {
        let result = try run("--check-config")
        #expect(result.exit == .code(0))
        #expect(result.standardOutput == "the built-in default: the configuration is valid\n")
    }

    @Test("--check-config lists all of ten errors with line and column, and exits with 78")
    func listsMistakes() throws {
        let text = """
            {
              "workers": 0,
              "wrokers": 2,
              "limits": { "maxSessions": "many" },
              "drain": { "deadline": "30 parsecs" },
              "log": { "level": "loud" },
              "listeners": {
                "a": { "listen": ["127.0.0.1:70000"], "handler": { "type": "echo" } },
                "b": { "listen": ["127.0.0.1:7001"], "handler": { "type": "ehco" } },
                "c": { "listen": ["127.0.0.1:7002"], "handler": { "type": "echo" },
                       "whenFull": "wait" },
                "d": { "listen": [], "handler": { "type": "drop" } },
                "e": { "listen": ["127.0.0.1:7003"] }
              }
            }
            """
        let expected = [
            (2, 14, "/workers"), (3, 3, "/wrokers"), (4, 30, "/limits/maxSessions"),
            (5, 26, "/drain/deadline"), (6, 21, "/log/level"), (8, 23, "/listeners/a/listen/0"),
            (9, 63, "/listeners/b/handler/type"), (11, 24, "/listeners/c/whenFull"),
            (12, 22, "/listeners/d/listen"), (13, 10, "/listeners/e"),
        ]
        let directory = try TemporaryDirectory()
        let file = try directory.write(text, to: "bad.json")
        let result = try run("--check-config", file)
        #expect(result.exit == .code(78))
        #expect(result.standardOutput == "")
        let lines = result.standardError.split(separator: "\n")
        #expect(lines.count == 10, "\(result.standardError)")
        for (line, column, pointer) in expected {
            let beginning = "\(file):\(line):\(column): \(pointer)"
            let count = lines.filter {
                $0.hasPrefix(beginning + ":") || $0.hasPrefix(beginning + "/")
            }
            .count
            #expect(count == 1, "\(beginning) in \(result.standardError)")
        }
    }

    @Test("a missing file is reported by name")
    func refusesMissing() throws {
        let result = try run("--config", "/nonexistent/verypolld.json")
        #expect(result.exit == .code(78))
        #expect(result.standardError.contains("/nonexistent/verypolld.json"))
        #expect(result.standardError.contains("No such file or directory"))
    }

    @Test("an address in use is reported with its listener, and exits with 71")
    func refusesAddressInUse() throws {
        let server = try Server()
        let directory = try TemporaryDirectory()
        let result = try run(
            with: serving("echo", as: "mine", listen: "127.0.0.1:\(server.port)"),
            in: directory
        )
        #expect(result.exit == .code(71))
        let sentence = "verypolld: listener mine: 127.0.0.1:\(server.port): Address already in use"
        #expect(result.standardError.contains(sentence), "\(result.standardError)")
    }

    @Test("a Unix-domain path in use is reported with its listener, and exits with 71")
    func refusesPathInUse() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("echo")
        let server = try Server(path: path)
        let result = try run(with: serving("echo", listen: "unix:\(path)"), in: directory)
        #expect(result.exit == .code(71))
        let sentence = "verypolld: listener echo: unix:\(path): another process listens on it"
        #expect(result.standardError.contains(sentence), "\(result.standardError)")
        #expect(server.port == 0)  // Keeps the server open until here.
    }

    @Test("a control socket in use is reported with its path and left unchanged")
    func refusesControlInUse() throws {
        let daemon = try TestDaemon(serving("echo"))
        let result = try Program.run(
            "verypolld",
            ["--config", daemon.directory.appending("verypolld.json")]
        )
        #expect(result.exit == .code(71))
        let sentence = "verypolld: \(daemon.controlPath): another process listens on it"
        #expect(result.standardError.contains(sentence), "\(result.standardError)")
        #expect(try daemon.status().state == .running)
    }

    @Test("a socket file left behind by a killed daemon is replaced")
    func replacesStale() throws {
        let daemon = try TestDaemon(serving("echo", listen: "unix:DIR/echo"))
        try daemon.program.send(SIGKILL)
        try daemon.program.waitForExit()
        #expect(unsafe access(daemon.controlPath, F_OK) == 0)
        let file = daemon.directory.appending("verypolld.json")
        let successor = try Program("verypolld", ["--config", file])
        try successor.waitForStandardError(containing: "is ready")
        #expect(try daemon.status().pid == Int(successor.processID))
        let client = try daemon.connect()
        try client.send("hi")
        #expect(try client.receive(exactly: 2) == Array("hi".utf8))
    }

    @Test("a file that is not a socket is not replaced")
    func sparesFiles() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("precious", to: "control")
        let result = try run(with: serving("echo"), in: directory)
        #expect(result.exit == .code(71))
        let sentence = "verypolld: \(path): the file exists and is not a socket"
        #expect(result.standardError.contains(sentence), "\(result.standardError)")
        #expect(unsafe access(path, F_OK) == 0)
    }

    @Test("--socket and --log-level override the file's settings")
    func prefersOptions() throws {
        let directory = try TemporaryDirectory()
        let text = """
            {"control": {"socket": "\(directory.path)/unused"},
            "listeners": {\(serving("echo", listen: "unix:\(directory.path)/echo"))}}
            """
        let file = try directory.write(text, to: "verypolld.json")
        let path = directory.appending("other")
        let program = try Program(
            "verypolld",
            ["--config", file, "--socket", path, "--log-level", "error"]
        )
        let status: Status = try eventually("the daemon to answer") {
            do {
                var peer = try ControlPeer(path: path)
                let status: Status = try peer.result("io.verypoll.Daemon.GetStatus")
                return status.state == .running ? status : nil
            } catch Errno.noSuchFileOrDirectory, Errno.connectionRefused {
                return nil
            }
        }
        #expect(status.pid == Int(program.processID))
        #expect(status.configurationPath == file)
        #expect(unsafe access(directory.appending("unused"), F_OK) != 0)
        #expect(try program.standardError == "")
    }
}
