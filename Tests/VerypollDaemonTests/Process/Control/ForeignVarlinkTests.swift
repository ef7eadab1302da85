internal import TestSupport
internal import Testing
internal import VerypollControl

/// Uses a third-party client: the package `varlink` from PyPI.
@Suite("The varlink command from PyPI")
struct ForeignVarlinkTests {
    private static let python = Repository.path + "/.build-venv/bin/python"

    private func varlink(_ arguments: String...) throws -> Program.Result {
        try requireProgram(Self.python)
        return try Program.run(Self.python, ["-m", "varlink.cli"] + arguments)
    }

    @Test("info describes the daemon and its interfaces")
    func informs() throws {
        let daemon = try TestDaemon(serving("echo"))
        let result = try varlink("info", "unix:" + daemon.controlPath)
        #expect(result.exit == .code(0), "\(result.standardError)")
        let interfaces = [
            "org.varlink.service", "io.verypoll.Daemon", "io.systemd.service", "io.systemd.Metrics",
        ]
        for text in ["verypolld", Release.version] + interfaces {
            #expect(result.standardOutput.contains(text))
        }
    }

    @Test("help prints the interface verbatim")
    func describes() throws {
        let daemon = try TestDaemon(serving("echo"))
        let result = try varlink("help", "unix:\(daemon.controlPath)/io.verypoll.Daemon")
        #expect(result.exit == .code(0), "\(result.standardError)")
        #expect(result.standardOutput.contains(DaemonInterface.description))
    }

    @Test("calls are answered, and errors arrive with their parameters")
    func calls() throws {
        let daemon = try TestDaemon(serving("echo"))
        let prefix = "unix:\(daemon.controlPath)/io.verypoll.Daemon."
        let status = try varlink("call", prefix + "GetStatus", "{}")
        #expect(status.exit == .code(0), "\(status.standardError)")
        #expect(status.standardOutput.contains("\"state\": \"running\""))
        let list = try varlink("call", prefix + "ListSessions", "{\"limit\": 5}")
        #expect(list.standardOutput.contains("\"truncated\": false"))
        let killed = try varlink("call", prefix + "KillSession", "{\"id\": 4711}")
        #expect((killed.standardOutput + killed.standardError).contains("SessionNotFound"))
        #expect((killed.standardOutput + killed.standardError).contains("4711"))
    }

    @Test("every method works as described, and every error can be provoked")
    func callsEverything() throws {
        let daemon = try TestDaemon(
            serving("echo", #", "timeouts": {"idle": "1h"}"#),
            """
            "web": {"listen": ["unix:DIR/web"], "handler": {"type": "proxy", "upstream": "app"}}
            """,
            more: #""upstreams": {"app": {"servers": ["127.0.0.1:9"]}},"#
        )
        try requireProgram(Self.python)
        let file = daemon.directory.appending("verypolld.json")
        let port = try daemon.address().split(separator: ":").last.map(String.init) ?? ""
        let result = try Program.run(
            Self.python,
            [Repository.path(ofProgram: "varlink_calls.py"), daemon.controlPath, file, port]
        )
        #expect(result.exit == .code(0), "\(result.standardError)")
        let errors = result.standardOutput.split(separator: "\n").map(String.init)
        // No answer of such a small daemon is too long.
        let expected = DaemonInterface.ErrorName.allCases.filter { $0 != .answerTooLong }
        #expect(Set(errors).isSuperset(of: expected.map(\.rawValue)))
    }
}
