import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("The async-echo example")
struct EchoExampleTests {
    @Test("many clients at a time get their bytes back, and end of file after theirs")
    func echoes() throws {
        try requireProgram("socat")
        let server = try Program("async-echo", ["127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        #expect(try shell("printf hello | socat -t 30 - TCP:127.0.0.1:\(port)") == "hello")

        var clients = Slab<Client>(capacity: 100)
        for _ in 0..<clients.capacity { _ = clients.insert(try Client(port: port)) }
        let keys = (0..<clients.endIndex).compactMap { clients.key(at: $0) }
        for key in keys { try clients[key].send("I am \(key.index)") }
        for key in keys {
            try clients[key].finishSending()
            let echoed = try clients[key].receiveToEnd()
            #expect(String(decoding: echoed, as: UTF8.self) == "I am \(key.index)")
        }
        #expect(keys.count == clients.capacity)
    }

    @Test("the server stops reading from a client that does not read, and loses no bytes")
    func holdsBack() throws {
        let server = try Program("async-echo", ["127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        let lazy = try Client(port: port)
        let sent = pattern(byteCount: 1 << 16)
        // The kernel's buffers and the server's one are bounded, so this loop ends.
        var total = 0
        while let count = try lazy.sendNow(sent[(total % sent.count)...]) { total += count }

        let other = try Client(port: port)
        try other.send("meanwhile")
        try other.finishSending()
        #expect(try other.receiveToEnd() == Array("meanwhile".utf8))

        let echoed = try lazy.receive(exactly: total)
        #expect(echoed.count == total)
        let isWhole = echoed.indices.allSatisfy { echoed[$0] == sent[$0 % sent.count] }
        #expect(isWhole)
    }

    @Test("a client that is silent for too long is disconnected")
    func disconnectsIdleClients() throws {
        let server = try Program("async-echo", ["127.0.0.1:0", "1"])
        let client = try Client(port: try portOfGreeting(of: server))
        #expect(try client.receiveToEnd().isEmpty)
        try server.waitForStandardOutput(containing: "connection closed: ")
    }

    @Test("SIGTERM lets open connections end; the server accepts no more, and then exits")
    func stops() throws {
        let server = try Program("async-echo", ["127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        let client = try Client(port: port)
        try client.send("before")
        #expect(try client.receive(exactly: 6) == Array("before".utf8))

        try server.send(15)
        try server.waitForStandardOutput(containing: "stopping after signal 15\n")
        try client.send("after")
        #expect(try client.receive(exactly: 5) == Array("after".utf8))
        #expect(try server.exit == nil)
        try client.finishSending()
        #expect(try client.receiveToEnd().isEmpty)
        #expect(try server.waitForExit() == .code(0))
        #expect(try server.standardOutput.hasSuffix("stopped\n"))
        #expect(throws: Errno.connectionRefused) { _ = try Client(port: port) }
    }

    @Test("a second signal closes open connections at once")
    func stopsAtOnce() throws {
        let server = try Program("async-echo", ["127.0.0.1:0"])
        let client = try Client(port: try portOfGreeting(of: server))
        try client.send("x")
        #expect(try client.receive(exactly: 1) == Array("x".utf8))
        try server.send(15)
        try server.waitForStandardOutput(containing: "stopping after signal 15\n")
        try server.send(2)
        #expect(try client.receiveToEnd().isEmpty)
        #expect(try server.waitForExit(within: .seconds(5)) == .code(0))
    }
}
