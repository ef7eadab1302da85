import TestSupport
import Testing

@Suite("Standard error without a reader")
struct StandardErrorTests {
    @Test("the daemon survives the exit of the process that reads its log")
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
}
