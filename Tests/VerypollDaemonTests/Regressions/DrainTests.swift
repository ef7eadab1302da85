#if Net && OSExt
import Glibc
import SystemPackage
import TestSupport
import Testing

@Suite("Drain")
struct DrainTests {
    @Test("a daemon that drains refuses connections, and its socket files are gone")
    func closesListeners() throws {
        let directory = try TemporaryDirectory()
        let file = directory.appending("echo.sock")
        let text = """
            {"workers": 2, "listeners": {"echo": {
                "listen": ["127.0.0.1:0", "unix:\(file)"], "handler": {"type": "echo"}}}}
            """
        let configuration = try directory.write(text, to: "verypolld.json")
        let daemon = try Program(
            "verypolld",
            ["--config", configuration, "--socket", directory.appending("control.sock")]
        )
        let said = try daemon.waitForStandardError(containing: "is ready")
        let match = try #require(said.firstMatch(of: /listening on 127\.0\.0\.1:(\d+)/))
        let port = try #require(UInt16(match.output.1))
        let client = try Client(port: port)
        try client.send("a")
        #expect(try client.receive(exactly: 1) == Array("a".utf8))

        try daemon.send(SIGTERM)
        try daemon.waitForStandardError(containing: "stopping for SIGTERM")
        try eventually("the port to be closed") {
            do { _ = try Client(port: port) } catch Errno.connectionRefused { return true }
            return false
        }
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try Client(path: file) }

        try client.send("b")
        #expect(try client.receive(exactly: 1) == Array("b".utf8))
        try client.finishSending()
        #expect(try client.receiveToEnd().isEmpty)
        #expect(try daemon.waitForExit() == .code(0))
    }
}
#endif
