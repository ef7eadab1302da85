#if Net && OSExt
import Glibc
import SystemPackage
import TestSupport
import Testing

@Suite("The end of the daemon")
struct DaemonEndTests {
    @Test("the end of whoever reads the log is not the daemon's")
    func outlivesReader() throws {
        let directory = try TemporaryDirectory()
        let text = """
            {"listeners": {"echo": {"listen": ["127.0.0.1:0"], "handler": {"type": "echo"}}}}
            """
        let configuration = try directory.write(text, to: "verypolld.json")
        let socket = directory.appending("control.sock")
        let pipe = directory.appending("errors")
        let command = """
            mkfifo "$3"
            "$0" --config "$1" --socket "$2" 2>"$3" &
            while read -r line; do
                case $line in *"is ready"*) break ;; esac
            done <"$3"
            kill -TERM $!
            wait $!
            echo "exit status $?"
            """
        let shell = try Program(
            "/bin/sh",
            ["-c", command, Program.path(of: "verypolld"), configuration, socket, pipe]
        )
        let said = try shell.waitForStandardOutput(containing: "exit status")
        #expect(said == "exit status 0\n")
    }

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
