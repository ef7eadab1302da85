import SystemPackage
import TestSupport
import Testing

@Suite("Support for process tests")
struct TestSupportTests {
    @Test("a program's output, errors and exit code are recorded")
    func runs() throws {
        let result = try Program.run("sh", ["-c", "echo out; echo err >&2; exit 3"])
        #expect(result.exit == .code(3))
        #expect(result.standardOutput == "out\n")
        #expect(result.standardError == "err\n")
    }

    @Test("a program ended by a signal reports which one")
    func signals() throws {
        let program = try Program("sleep", ["1000"])
        #expect(try program.exit == nil)
        try program.send(15)
        #expect(try program.waitForExit() == .signal(15))
        #expect(try program.exit == .signal(15))
    }

    @Test("waiting for output fails with the actual output if the program exits without it")
    func explains() throws {
        let program = try Program("sh", ["-c", "echo something else"])
        let error = #expect(throws: TimedOut.self) {
            try program.waitForStandardOutput(containing: "hello")
        }
        #expect(error?.description.contains("something else") == true)
    }

    @Test("activated sockets are descriptors 3 and up of the process that LISTEN_PID names")
    func passes() throws {
        let web = try Server()
        let mail = try Server()
        let script = #"""
            test $LISTEN_PID = $$ && echo $LISTEN_FDS $LISTEN_FDNAMES
            readlink /proc/$$/fd/3 /proc/$$/fd/4
            """#
        let program = try Program(
            "sh",
            ["-c", script],
            sockets: [
                PassedSocket(name: "web", descriptor: web.descriptor),
                PassedSocket(name: "mail", descriptor: mail.descriptor),
            ]
        )
        #expect(try program.waitForExit() == .code(0))
        let lines = try program.standardOutput.split(separator: "\n")
        #expect(lines.first == "2 web:mail")
        #expect(lines.count == 3)
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("socket:[") })
    }

    @Test("a program's memory, descriptors and CPU time can be read")
    func measures() throws {
        // The test runner may leave descriptors of its own open for children to inherit.
        let script = "exec 9< /dev/null; set -- /proc/$$/fd/*; echo $# open; exec sleep 1000"
        let program = try Program("sh", ["-c", script])
        let said = try program.waitForStandardOutput(containing: "open")
        // The memory is 0 for a moment while execve(2) replaces one program with another.
        try eventually("memory") { try program.residentByteCount() > 4096 }
        let count = try #require(Int(said.prefix { $0 != " " }))
        #expect(count >= 4)
        try eventually("the shell's own descriptors to close") {
            try (count - 1...count).contains(program.openDescriptorCount())
        }
        #expect(try program.processorTime() < .seconds(60))
    }

    @Test("a client and a server exchange bytes, and each end closes on its own")
    func exchanges() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("socket")
        let servers = [false, true]
        for isUnix in servers {
            let server = try isUnix ? Server(path: path) : Server()
            let client = try isUnix ? Client(path: path) : Client(port: server.port)
            let peer = try server.accept()
            try client.send("hello")
            try client.finishSending()
            #expect(try peer.receiveToEnd() == Array("hello".utf8))
            try peer.send("and bye")
            #expect(try client.receive(exactly: 3) == Array("and".utf8))
            #expect(try client.receive(exactly: 4) == Array(" bye".utf8))
        }
    }

    @Test("a client's reset is an error at the peer")
    func resets() throws {
        let server = try Server()
        let client = try Client(port: server.port)
        let peer = try server.accept()
        try client.reset()
        #expect(throws: Errno.connectionReset) { _ = try peer.receive() }
    }

    @Test("a temporary directory is deleted at the end of its scope")
    func removes() throws {
        var path = ""
        do {
            let directory = try TemporaryDirectory()
            path = try directory.write("text", to: "file")
            #expect(try Program.run("cat", [path]).standardOutput == "text")
        }
        #expect(try Program.run("cat", [path]).exit == .code(1))
    }

    @Test("waiting for a condition that never becomes true times out")
    func timesOut() {
        #expect(throws: TimedOut.self) {
            try eventually("the impossible", within: .milliseconds(20)) { false }
        }
    }
}
