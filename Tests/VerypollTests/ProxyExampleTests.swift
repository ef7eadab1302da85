#if OSPoll && Net
import SystemPackage
import Testing
import TestSupport

@Suite("The proxy example")
struct ProxyExampleTests {
    private let mebibyte = pattern(byteCount: 1 << 20)

    private func proxy(to port: UInt16) throws -> Program {
        try Program("proxy", ["127.0.0.1:0", "127.0.0.1:\(port)"])
    }

    @Test("bytes pass in both directions at once, and none is lost")
    func passesBytes() throws {
        let server = try Server()
        let program = try proxy(to: server.port)
        let client = try Client(port: try portOfGreeting(of: program))
        let accepted = try server.accept()

        var request = Transfer(mebibyte)
        var answer = Transfer(Array(mebibyte.reversed()))
        try eventually("both directions to end") {
            while try request.proceed(client, accepted) || answer.proceed(accepted, client) {}
            return request.isComplete && answer.isComplete
        }
        #expect(request.isUnchanged)
        #expect(answer.isUnchanged)
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

    @Test("an end of file without any byte before it passes, too")
    func passesAnEmptyRequest() throws {
        let server = try Server()
        let program = try proxy(to: server.port)
        let client = try Client(port: try portOfGreeting(of: program))
        try client.finishSending()
        let accepted = try server.accept()
        #expect(try accepted.receiveToEnd().isEmpty)
        try accepted.send("the time")
        try accepted.finishSending()
        #expect(try client.receiveToEnd() == Array("the time".utf8))
    }

    @Test("a bounded amount is buffered for a server that does not read, and arrives later")
    func holdsBack() throws {
        let server = try Server()
        let program = try proxy(to: server.port)
        let client = try Client(port: try portOfGreeting(of: program))
        let accepted = try server.accept()

        var total = 0
        var isFull = false
        // The proxy may read a little more after the client first blocked.
        try eventually("the proxy to stop reading") {
            let before = total
            while let count = try client.sendNow(mebibyte[(total % mebibyte.count)...]) {
                total += count
            }
            defer { isFull = total == before }
            return isFull && total == before
        }
        try client.finishSending()
        let received = try accepted.receiveToEnd()
        #expect(received.count == total)
        let isWhole = received.indices.allSatisfy { received[$0] == mebibyte[$0 % mebibyte.count] }
        #expect(isWhole)
    }

    @Test("a client whose server refuses the connection reads end of file")
    func tellsOfRefusal() throws {
        let server = try Server(backlog: nil)
        let program = try proxy(to: server.port)
        let client = try Client(port: try portOfGreeting(of: program))
        #expect(try client.receiveToEnd().isEmpty)
    }

    @Test("curl fetches a page through the proxy")
    func servesCurl() throws {
        try requireProgram("curl")
        let server = try Server()
        let program = try proxy(to: server.port)
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

/// Bytes in transit from one client to another.
private struct Transfer {
    let bytes: [UInt8]
    private(set) var received: [UInt8] = []
    private var sent = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isUnchanged: Bool { received == bytes }

    var isComplete: Bool { received.count == bytes.count }

    /// Moves the bytes that can be moved now; returns whether there were any.
    mutating func proceed(
        _ from: borrowing Client,
        _ to: borrowing Client
    ) throws(Errno) -> Bool {
        let wasSent = sent < bytes.count ? try from.sendNow(bytes[sent...]) ?? 0 : 0
        sent += wasSent
        let came = isComplete ? [] : try to.receiveNow() ?? []
        received += came
        return wasSent > 0 || !came.isEmpty
    }
}
#endif
