import SystemPackage
import TestSupport
import Testing

@Suite("The async-proxy example")
struct ProxyExampleTests {
    private let mebibyte = pattern(byteCount: 1 << 20)

    private func proxy(to port: UInt16) throws -> Program {
        try Program("async-proxy", ["127.0.0.1:0", "127.0.0.1:\(port)"])
    }

    @Test("a half-closed client still receives the whole answer")
    func answersAfterTheEnd() throws {
        try requireProgram("socat")
        let server = try Server()
        let program = try proxy(to: server.port)
        let port = try portOfGreeting(of: program)
        let client = try Program(
            "/bin/sh",
            ["-c", "printf request | socat -t 60 - TCP:127.0.0.1:\(port)"]
        )
        do {
            let accepted = try server.accept()
            // The client's end of file has arrived, while the other direction stays open.
            #expect(try accepted.receiveToEnd() == Array("request".utf8))
            try accepted.send(mebibyte)
        }
        let result = try client.finish()
        #expect(result.exit == .code(0))
        // Compared outside the macro, which would spend a long time computing the difference.
        let isWhole = Array(result.standardOutput.utf8) == mebibyte
        #expect(isWhole)
    }

    @Test("a half-closed server still receives everything that the client sends")
    func endsTheOtherWay() throws {
        let server = try Server()
        let program = try proxy(to: server.port)
        let client = try Client(port: try portOfGreeting(of: program))
        let accepted = try server.accept()

        try accepted.finishSending()
        #expect(try client.receiveToEnd().isEmpty)
        try client.send("still here")
        #expect(try accepted.receive(exactly: 10) == Array("still here".utf8))
        try client.finishSending()
        #expect(try accepted.receiveToEnd().isEmpty)
    }

    @Test("a bounded amount is buffered for a server that does not read, and arrives later")
    func holdsBack() throws {
        let server = try Server()
        let program = try proxy(to: server.port)
        let client = try Client(port: try portOfGreeting(of: program))
        let accepted = try server.accept()

        var total = 0
        // The proxy may read a little more after the client first blocked.
        try eventually("the proxy to stop reading") {
            let before = total
            while let count = try client.sendNow(mebibyte[(total % mebibyte.count)...]) {
                total += count
            }
            return total > 0 && total == before
        }
        try client.finishSending()
        let received = try accepted.receiveToEnd()
        #expect(received.count == total)
        let isWhole = received.indices.allSatisfy { received[$0] == mebibyte[$0 % mebibyte.count] }
        #expect(isWhole)
    }

    @Test("a reset of one side ends the other side, although nothing is sent there")
    func passesFailures() throws {
        let server = try Server()
        let program = try proxy(to: server.port)
        let client = try Client(port: try portOfGreeting(of: program))
        let accepted = try server.accept()
        try client.reset()
        #expect(try accepted.receiveToEnd().isEmpty)
        try program.waitForStandardOutput(containing: "session closed: ")
    }

    @Test("a client whose server refuses the connection reads end of file")
    func reportsRefusals() throws {
        let server = try Server(backlog: nil)
        let program = try proxy(to: server.port)
        let client = try Client(port: try portOfGreeting(of: program))
        #expect(try client.receiveToEnd().isEmpty)
        try program.waitForStandardOutput(containing: "session closed: Connection refused\n")
    }

    @Test("if the first address of the server refuses, curl is served by the second")
    func servesCurl() throws {
        try requireProgram("curl")
        let dead = try Server(backlog: nil)
        let server = try Server()
        let targets = [dead.port, server.port].map { "127.0.0.1:\($0)" }
        let program = try Program("async-proxy", ["127.0.0.1:0"] + targets)
        let port = try portOfGreeting(of: program)
        let curl = try Program("curl", ["--silent", "--show-error", "http://127.0.0.1:\(port)/"])
        let accepted = try server.accept()
        var request = ""
        while !request.hasSuffix("\r\n\r\n") {
            request += String(decoding: try accepted.receive(exactly: 1), as: UTF8.self)
        }
        #expect(request.hasPrefix("GET / HTTP/1.1\r\n"))
        try accepted.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npage\n")
        let result = try curl.finish()
        #expect(result.standardOutput == "page\n", "\(result.standardError)")
    }
}
