#if OSPoll && OSExt && Net
import SystemPackage
import Testing
import TestSupport
import Verypoll

@Suite("Examples with Unix sockets")
struct SocketExampleTests {
    @Test("the chat passes each line to all other members, announces members, and cleans up")
    func chats() throws {
        try requireProgram("socat")
        let directory = try TemporaryDirectory()
        let path = directory.appending("chat")
        let server = try Program("chat", [path])
        try server.waitForStandardOutput(containing: "listening on")

        let first = try ChatMember("first", in: directory)
        try first.waitFor("* you are 0\n")
        let second = try ChatMember("second", in: directory)
        try second.waitFor("* you are 1\n")
        do {
            let third = try ChatMember("third", in: directory)
            try third.waitFor("* you are 2\n")

            try first.say("hello\nall of you\n")
            try second.waitFor("0: hello\n0: all of you\n")
            try third.waitFor("0: hello\n0: all of you\n")
            try third.say("hello to you\n")
            try first.waitFor("* 1 joined\n* 2 joined\n2: hello to you\n")
        }
        try second.waitFor("2: hello to you\n* 2 left\n")

        try server.send(15)
        #expect(try server.waitForExit() == .code(0))
        let names = try shell("ls \(directory.path)")
        #expect(names == "first\nsecond\nthird\n")
    }

    @Test("a chat member who does not read is removed, and the others are unaffected")
    func leavesOut() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("chat")
        let server = try Program("chat", [path])
        try server.waitForStandardOutput(containing: "listening on")
        let lazy = try Client(path: path)
        let keen = try Client(path: path)
        let talker = try Client(path: path)

        let line = Array(repeating: UInt8(ascii: "x"), count: 4000) + [UInt8(ascii: "\n")]
        var heard: [UInt8] = []
        try eventually("the lazy member to be removed") {
            try talker.send(line)
            while let bytes = try keen.receiveNow() { heard += bytes }
            return String(decoding: heard, as: UTF8.self).contains("* 0 left\n")
        }
        let rest = try lazy.receiveToEnd()
        #expect(rest.count > 4000)
    }

    @Test("sockets passed by systemd are identified by name, in any order")
    func takesPassedSockets() throws {
        try requireProgram("socat")
        let directory = try TemporaryDirectory()
        let path = directory.appending("control")
        let control = try Server(path: path)
        let web = try Server()
        let other = try Server()
        let stranger = try Server()
        let program = try Program(
            "systemd-sockets",
            sockets: [
                PassedSocket(name: "control", descriptor: control.descriptor),
                PassedSocket(name: "stranger", descriptor: stranger.descriptor),
                PassedSocket(name: "web", descriptor: web.descriptor),
                PassedSocket(name: "web", descriptor: other.descriptor),
            ]
        )
        let said = try program.waitForStandardOutput(
            containing: "web listens on 127.0.0.1:\(other.port)\n"
        )
        #expect(said.contains("control listens on \(path)\n"))
        #expect(said.contains("stranger: unknown name, closed\n"))
        #expect(try shell("socat -u TCP:127.0.0.1:\(web.port) -") == "this is web\n")
        #expect(try shell("socat -u TCP:127.0.0.1:\(other.port) -") == "this is web\n")
        #expect(try shell("socat -u UNIX:\(path) -") == "this is control\n")
    }

    @Test("a socket of another type than its name implies is rejected")
    func refusesOthers() throws {
        let web = try Server()
        let result = try Program(
            "systemd-sockets",
            sockets: [PassedSocket(name: "control", descriptor: web.descriptor)]
        ).finish()
        #expect(result.exit != .code(0))
        #expect(result.standardError.contains("Address family not supported"))
    }
}

@Suite("The example with threads")
struct ThreadsExampleTests {
    @Test("the server echoes on its threads, and stops at SIGTERM")
    func serves() throws {
        let server = try Program("threads", ["127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        for number in 0..<20 {
            let client = try Client(port: port)
            try client.send("I am \(number)")
            try client.finishSending()
            let echoed = try client.receiveToEnd()
            #expect(String(decoding: echoed, as: UTF8.self) == "I am \(number)")
        }
        try server.send(15)
        #expect(try server.waitForExit() == .code(0))
        #expect(try server.standardOutput.hasSuffix("stopping at signal 15\nstopped\n"))
    }

    @Test("the server survives a lack of descriptors, and serves the waiting clients later")
    func survives() throws {
        let path = Program.path(of: "threads")
        let server = try Program("/bin/sh", ["-c", "ulimit -n 24; exec \(path) 127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        var clients = Slab<Client>(capacity: 40)
        for _ in 0..<clients.capacity { _ = clients.insert(try Client(port: port)) }
        for index in 0..<clients.capacity {
            let found = clients.key(at: index)
            let key = try #require(found)
            try clients[key].send("hello")
            #expect(try clients[key].receive(exactly: 5) == Array("hello".utf8))
            clients.remove(key)
        }
        try server.send(15)
        #expect(try server.waitForExit() == .code(0))
    }
}

/// A socat in the chat; the test writes its input.
private struct ChatMember: ~Copyable {
    let program: Program
    private let input: FileDescriptor

    init(_ name: String, in directory: borrowing TemporaryDirectory) throws {
        let pipe = directory.appending(name)
        _ = try shell("mkfifo \(pipe)")
        let program = try Program(
            "socat",
            ["OPEN:\(pipe),rdonly!!STDOUT", "UNIX-CONNECT:\(directory.appending("chat"))"]
        )
        // Opened for reading as well, so that opening does not block.
        input = try FileDescriptor.open(FilePath(pipe), .readWrite, options: .closeOnExec)
        self.program = program
    }

    deinit {
        try? input.close()
    }

    func say(_ text: String) throws {
        try input.writeAll(text.utf8)
    }

    func waitFor(_ text: String) throws {
        try program.waitForStandardOutput(containing: text)
    }
}
#endif
