internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Failed starts")
struct FailedStartTests {
    private static let keeping = #""restart": {"keepSessions": true},"#

    @Test(
        "a failed start leaves the store unchanged, and the next start restores from it",
        arguments: ["syntax", "busy"]
    )
    func keepsStore(_ mistake: String) throws {
        let manager = try ServiceManager()
        let other = try Server()
        let port = try reservedPort()
        let echo = serving("echo", listen: "127.0.0.1:\(port)")
        let bad = serving("echo", as: "busy", listen: "127.0.0.1:\(other.port)")
        var daemon = try TestDaemon(echo, more: Self.keeping, manager: manager)
        let client = try daemon.connect()
        try client.send("one")
        #expect(try client.receive(exactly: 3) == Array("one".utf8))
        let id = try daemon.sessions().map(\.id)
        try daemon.stop(forRestart: true)
        #expect(try daemon.program.waitForExit() == .code(0))
        let stored = manager.sockets.map(\.name)
        #expect(stored.count == 2)

        if mistake == "syntax" {
            try daemon.replace("{")
        } else {
            try daemon.rewrite(echo, bad, more: Self.keeping)
        }
        for _ in 0..<2 {
            try daemon.start()
            let code: Int32 = mistake == "syntax" ? 78 : 71
            #expect(try daemon.program.waitForExit() == .code(code))
            #expect(manager.sockets.map(\.name) == stored)
        }
        let waiting = try Client(address: "127.0.0.1:\(port)")
        try waiting.send("wait")

        try daemon.rewrite(echo, more: Self.keeping)
        try daemon.start()
        try daemon.program.waitForStandardError(containing: "is ready")
        #expect(try waiting.receive(exactly: 4) == Array("wait".utf8))
        try client.send("two")
        #expect(try client.receive(exactly: 3) == Array("two".utf8))
        #expect(try daemon.sessions().map(\.id).contains(id[0]))
        let log = try daemon.program.standardError
        #expect(log.contains("restored 1 socket and 1 session"), "\(log)")
        try manager.end()
    }
}
