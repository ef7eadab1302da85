import StrictJSON
import TestSupport
import Testing

/// Runs the command against a real daemon whose configuration refers to other files.
@Suite("configuration of several files")
struct ConfigFilesTests {
    private static let main = """
        {"include": "*.conf", "workers": 1, "control": {"socket": "DIR/control"}}
        """

    private static func listener(_ keys: String) -> String {
        """
        {"listeners": {"web": {"listen": ["unix:DIR/web"], "handler": {"type": "echo"},
        \(keys)}}}
        """
    }

    @Test("check, diff and reload see included files, and their problems name the file")
    func seesIncludes() throws {
        let daemon = try RealDaemon(
            Self.main,
            files: ["a.conf": Self.listener("\"maxSessions\": 9")]
        )
        func write(_ keys: String) throws -> String {
            let text = Self.listener(keys).replacing("DIR", with: daemon.directory.path)
            return try daemon.directory.write(text, to: "a.conf")
        }
        #expect(
            try daemon.run("config", "check").standardOutput
                == "\(daemon.file): the configuration is valid\n"
        )
        #expect(try daemon.run("config", "diff").standardOutput == "")

        let file = try write("\"maxSessions\": 10")
        let change = try daemon.run("config", "diff").standardOutput
        #expect(change == "~ /listeners/web/maxSessions: 9 → 10\n")
        #expect(try daemon.run("reload").standardOutput == change)
        #expect(try daemon.run("config", "show").standardOutput.contains("\"maxSessions\" : 10"))

        // The command finds the first problem itself, and the daemon the second one.
        for (keys, problem) in [
            ("\"maxSession\": 1", "/listeners/web/maxSession: unknown key"),
            ("\"maxSessions\": 9000000", "/listeners/web/maxSessions: "),
        ] {
            _ = try write(keys)
            let column = keys.hasPrefix("\"maxSessions") ? 16 : 1
            for verb in [["config", "check"], ["config", "diff"], ["reload"]] {
                let words = verb + patientOptions(socket: daemon.controlPath)
                let result = try Program.run("verypollctl", words)
                #expect(result.exit == .code(5))
                #expect(result.standardError.contains("\(file):2:\(column): \(problem)"))
            }
        }
        try daemon.program.waitForStandardError(containing: "\(file):2:16: ")
    }

    @Test("a changed list of addresses is one short change")
    func seesLists() throws {
        let daemon = try RealDaemon(
            Self.main,
            files: [
                "a.conf": Self.listener("\"deny\": [{\"file\": \"list.txt\"}, \"10.0.0.1\"]"),
                "list.txt": "192.0.2.0/24\n2001:db8::/32\n",
            ]
        )
        #expect(try daemon.run("config", "diff").standardOutput == "")
        let list = try daemon.directory.write("192.0.2.0/24\n", to: "list.txt")
        let change = try daemon.run("config", "diff").standardOutput
        #expect(change.hasPrefix("- /listeners/web/deny: {\"entries\":2,"))
        #expect(change.contains("\n+ /listeners/web/deny: {\"entries\":1,"))
        #expect(change.split(separator: "\n").count == 2)
        #expect(try daemon.run("reload").standardOutput == change)
        #expect(try daemon.run("reload").standardOutput == "")
        let shown = try JSONDocument(
            parsing: Array(try daemon.run("config", "show").standardOutput.utf8)
        )
        let deny = shown.root["listeners"]?["web"]?["deny"]
        #expect(deny?["0"]?["file"]?.string == list)
        #expect(deny?["0"]?["entries"] == 1)

        _ = try daemon.directory.write("192.0.2.0/24\nlocalhost\n", to: "list.txt")
        for verb in ["check", "diff"] {
            let result = try daemon.run("config", verb)
            #expect(result.exit == .code(5))
            #expect(result.standardError.contains("\(list):2:1: /listeners/web/deny/0/file: "))
        }
        let result = try daemon.run("reload")
        #expect(result.exit == .code(5))
        #expect(result.standardError.contains("\(list):2:1: /listeners/web/deny/0/file: "))
    }

    @Test("the variables of the daemon can be given to the command in a file")
    func seesVariables() throws {
        let daemon = try RealDaemon(
            Self.main,
            files: ["a.conf": Self.listener("\"timeouts\": {\"idle\": \"${VERYPOLL_TEST_IDLE}\"}")],
            environment: ["VERYPOLL_TEST_IDLE": "7s"]
        )
        #expect(try daemon.run("config", "show").standardOutput.contains("\"idle\" : \"7s\""))
        let unknown = try daemon.run("config", "check")
        #expect(unknown.exit == .code(5))
        #expect(unknown.standardError.contains("a.conf:2:22: /listeners/web/timeouts/idle: "))
        #expect(unknown.standardError.contains("--environment-file"))
        let file = try daemon.directory.write(
            "# comment\n\nVERYPOLL_TEST_IDLE = \"7s\"\n",
            to: "environment"
        )
        for verb in ["check", "diff"] {
            let result = try daemon.run("config", verb, "--environment-file", file)
            #expect(result.exit == .code(0), "\(result.standardError)")
        }
        let other = try daemon.directory.write("VERYPOLL_TEST_IDLE='8s'", to: "other")
        #expect(
            try daemon.run("config", "diff", "--environment-file", other).standardOutput
                == "~ /listeners/web/timeouts/idle: \"7s\" → \"8s\"\n"
        )
        #expect(try daemon.run("reload").exit == .code(0))
    }

    @Test("credentials are not shown")
    func hidesCredentials() throws {
        let credentials = try TemporaryDirectory()
        _ = try credentials.write("hunter2\n", to: "password")
        let daemon = try RealDaemon(
            """
            {"workers": 1, "control": {"socket": "DIR/control"}, "listeners": {"web":
            {"listen": ["unix:DIR/web"], "handler": {"type": "echo"}}}, "upstreams": {"u":
            {"servers": ["unix:DIR/none"], "check": {"send": "AUTH ${password}"}}}}
            """,
            environment: ["CREDENTIALS_DIRECTORY": credentials.path]
        )
        #expect(try daemon.run("config", "show").standardOutput.contains("\"AUTH ${password}\""))
        _ = try credentials.write("hunter3\n", to: "password")
        let change = #"~ /upstreams/u/check/send: "AUTH ${password}" → "AUTH ${password}""# + "\n"
        let diff = try Program.run(
            "verypollctl",
            ["config", "diff"] + patientOptions(socket: daemon.controlPath),
            environment: ["CREDENTIALS_DIRECTORY": credentials.path]
        )
        #expect(diff.standardOutput == change)
        #expect(try daemon.run("reload").standardOutput == change)
    }
}
