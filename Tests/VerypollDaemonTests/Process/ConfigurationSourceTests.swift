internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Configuration paths that are not regular files")
struct ConfigurationSourceTests {
    @Test("a reload from a FIFO is rejected, and the daemon continues to serve and can be stopped")
    func refusesPipe() throws {
        let daemon = try TestDaemon(serving("echo"))
        let path = daemon.directory.appending("verypolld.json")
        let isMade = unsafe unlink(path) == 0 && mkfifo(path, 0o600) == 0
        #expect(isMade)
        let problems = try daemon.refusedReload()
        #expect(problems.count == 1)
        #expect(problems.first?.message.contains("is a FIFO") == true)
        let client = try daemon.connect()
        try client.send("?")
        #expect(try client.receive(exactly: 1) == Array("?".utf8))
        try daemon.program.send(SIGTERM)
        #expect(try daemon.program.waitForExit() == .code(0))
    }
}
