#if OSPoll && Net
import SystemPackage
import Testing
import TestSupport
import Verypoll

@Suite("Examples")
struct ExampleTests {
    @Test("the guide's server accepts and drops one client after another")
    func acceptsAndDrops() throws {
        let server = try Program("accept-and-drop", ["127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        for _ in 0..<3 {
            let client = try Client(port: port)
            #expect(try client.receiveToEnd().isEmpty)
        }
        _ = try server.waitForStandardOutput(containing: "dropping 127.0.0.1:")
    }

    @Test("the echo server returns many clients' bytes, and end of file after theirs")
    func echoes() throws {
        try requireProgram("socat")
        let server = try Program("echo", ["127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        let foreign = try shell("printf hello | socat -t 30 - TCP:127.0.0.1:\(port)")
        #expect(foreign == "hello")

        var clients = Slab<Client>(capacity: 300)
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

    @Test("the echo server stops reading from a client that does not read, and loses no bytes")
    func echoHoldsBack() throws {
        let server = try Program("echo", ["127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        let lazy = try Client(port: port)
        let sent = pattern(byteCount: 1 << 16)
        // The kernel's buffers for both directions and one buffer of the server are bounded, so
        // this loop ends.
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

    @Test("the UDP echo server returns each datagram to its sender")
    func echoesDatagrams() throws {
        try requireProgram("socat")
        let server = try Program("udp-echo", ["127.0.0.1:0"])
        let port = try portOfGreeting(of: server)
        for text in ["one", "two", String(repeating: "x", count: 9000)] {
            let answer = try shell(
                // The sent datagram must return; then socat exits.
                "printf \(text) | socat -t 30 -b 65536 - UDP:127.0.0.1:\(port),readbytes=\(text.count)"
            )
            #expect(answer == text)
        }
    }

    @Test(
        "the vsock echo server returns the bytes of its own client and of socat",
        .enabled(if: hasVsockLoopback)
    )
    func echoesVsock() throws {
        try requireProgram("socat")
        let server = try Program("vsock-echo", ["1:4294967295"])
        let greeting = try server.waitForStandardOutput(containing: "listening on 1:")
        let port = greeting.split(separator: ":").last?.prefix { $0.isNumber } ?? ""
        let check = try Program.run("vsock-echo", ["--check", "1:\(port)", "1000000"])
        #expect(check.standardOutput == "1000000 bytes equal\n", "\(check.standardError)")
        #expect(try shell("printf hello | socat -t 30 - VSOCK-CONNECT:1:\(port)") == "hello")
    }

    @Test("the vsock echo client says why it cannot connect, and exits with status 1")
    func refusesVsock() throws {
        // Without vsock, there is another reason than with it.
        let check = try Program.run("vsock-echo", ["--check", "1:1", "5"])
        #expect(check.exit == .code(1))
        let reason = check.standardError
        #expect(reason.wholeMatch(of: /vsock-echo: 1:1: [A-Za-z ]+\n/) != nil, "\(reason)")
        if hasVsockLoopback { #expect(reason.contains("nothing listens there")) }
    }
}

/// Returns the output of a shell command.
func shell(_ line: String) throws -> String {
    let result = try Program.run("/bin/sh", ["-c", line])
    #expect(result.exit == .code(0), "\(line): \(result.standardError)")
    return result.standardOutput
}

/// Returns letters in an order that reveals missing, duplicate and misplaced ones.
func pattern(byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(ascii: "a") + UInt8(($0 &* 31 &+ $0 >> 8) % 26) }
}
#endif
