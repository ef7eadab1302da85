internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Proxy: bytes and ends of file")
struct ProxyBytesTests {
    @Test(
        "each direction delivers every byte, and then end of file",
        arguments: Sides.all,
        [0, 1, 70_000, 8 << 20]
    )
    func carries(sides: Sides, size: Int) throws {
        let lab = try ProxyLab(sides)
        let (client, server) = try lab.join().share()
        let sending = [(client, 7), (server, 700_007)].map { end, start in
            ConcurrentWork {
                try end.client.send(Noise.slice(size, at: start))
                try end.client.finishSending()
            }
        }
        let receiving = ConcurrentWork {
            let bytes = try server.client.receiveToEnd()
            #expect(bytes.count == size && Noise.isSlice(bytes, at: 7))
        }
        let bytes = try client.client.receiveToEnd()
        #expect(bytes.count == size && Noise.isSlice(bytes, at: 700_007))
        try receiving.join()
        for work in sending { try work.join() }
        try lab.waitForNothing()
        let totals = try lab.daemon.status().totals
        #expect((totals.bytesIn, totals.bytesOut) == (size, size))
    }

    @Test("a server may speak first", arguments: Sides.all)
    func carriesGreeting(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        let joined = try lab.join()
        try joined.server.send("220 ready")
        #expect(try joined.client.receive(exactly: 9) == Array("220 ready".utf8))
        try joined.greet()
    }

    @Test("bytes sent before the server accepts are kept for it", arguments: Sides.all)
    func keepsEarlyBytes(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        let client = try lab.connect()
        try client.send(Noise.slice(100_000, at: 1))
        try client.finishSending()
        try lab.daemon.waitForTotals("the bytes") { $0.bytesIn == 100_000 }
        let server = try lab.server.accept()
        let bytes = try server.receiveToEnd()
        #expect(bytes.count == 100_000 && Noise.isSlice(bytes, at: 1))
    }

    /// While the backlog is full, the kernel drops connects and retries them after a second.
    @Test("bytes sent before the server is connected are kept for it", arguments: [true, false])
    func keepsEarliestBytes(ends: Bool) throws {
        let lab = try ProxyLab(upstream: #", "connectTimeout": "1min""#, backlog: 0)
        let filler = try lab.connectToServer()
        let client = try lab.connect()
        try client.send(Noise.slice(300_000, at: 3))
        if ends { try client.finishSending() }
        try eventually("the session") { try lab.daemon.sessions().count == 1 }
        try lab.server.listen()
        var accepted = try lab.server.accept()
        try filler.send("filler")
        #expect(try accepted.receive(exactly: 6) == Array("filler".utf8))
        accepted = try lab.server.accept()
        let bytes = try accepted.receive(exactly: 300_000)
        #expect(bytes.count == 300_000 && Noise.isSlice(bytes, at: 3))
        if ends { #expect(try accepted.receive() == []) }
    }

    @Test("end of file passes in its direction only, after its bytes", arguments: Sides.all)
    func passesEnds(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        let joined = try lab.join()
        try joined.greet()
        #expect(try joined.server.receiveNow() == nil)
        try joined.client.send("the last")
        try joined.client.finishSending()
        #expect(try joined.server.receiveToEnd() == Array("the last".utf8))
        #expect(try lab.daemon.sessions().map(\.state) == [.halfClosed])
        // The other direction is unaffected.
        for round in 0..<3 {
            try joined.server.send("answer \(round)")
            #expect(try joined.client.receive(exactly: 8) == Array("answer \(round)".utf8))
        }
        #expect(try joined.client.receiveNow() == nil)
        try joined.server.finishSending()
        #expect(try joined.client.receive() == [])
        try lab.waitForNothing()
    }

    @Test("a half-closed server still gets everything that the client sends", arguments: Sides.all)
    func passesServersEnd(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        let (client, server) = try lab.join().share()
        try server.client.send("enough")
        try server.client.finishSending()
        #expect(try client.client.receiveToEnd() == Array("enough".utf8))
        let sending = ConcurrentWork {
            try client.client.send(Noise.slice(2 << 20, at: 5))
            try client.client.finishSending()
        }
        let bytes = try server.client.receiveToEnd()
        #expect(bytes.count == 2 << 20 && Noise.isSlice(bytes, at: 5))
        try sending.join()
        try lab.waitForNothing()
    }

    @Test("end of file arrives without bytes before it, too", arguments: Sides.all, [true, false])
    func passesBareEnds(sides: Sides, clientFirst: Bool) throws {
        let lab = try ProxyLab(sides)
        let (client, server) = try lab.join().share()
        let (first, second) = clientFirst ? (client, server) : (server, client)
        try first.client.finishSending()
        #expect(try second.client.receive() == [])
        #expect(try lab.daemon.sessions().map(\.state) == [.halfClosed])
        try second.client.finishSending()
        #expect(try first.client.receive() == [])
        try lab.waitForNothing()
    }

    @Test("a server that closes at once without a byte counts as reached", arguments: Sides.all)
    func passesEarliestEnd(sides: Sides) throws {
        let lab = try ProxyLab(sides, upstream: #", "connectTimeout": "300ms""#)
        let client = try lab.connect()
        do { _ = try lab.server.accept() }
        #expect(try client.receive() == [])
        // Long enough for the connect timeout to pass and another connection to be made.
        #expect(throws: Errno.timedOut) { _ = try lab.server.accept(timeout: .seconds(1)) }
        #expect(try lab.daemon.sessions().map(\.state) == [.halfClosed])
        try client.finishSending()
        try lab.waitForNothing()
    }

    /// Expects a command that sends its standard input to receive the whole answer.
    private func expectAnswer(to command: String, from lab: borrowing ProxyLab) throws {
        let program = try Program("sh", ["-c", "printf request | \(command)"])
        let server = try lab.server.accept()
        #expect(try server.receiveToEnd() == Array("request".utf8))
        // The command has shut down writing by now, and has not received the answer yet.
        try server.send(String(repeating: "answer\n", count: 100_000))
        try server.finishSending()
        let result = try program.finish()
        #expect(result.exit == .code(0), "\(result.standardError)")
        #expect((result.standardOutput == String(repeating: "answer\n", count: 100_000)) == true)
        try lab.waitForNothing()
    }

    @Test("nc -N and socat get the whole answer", arguments: Sides.all)
    func servesRealClients(sides: Sides) throws {
        try requireProgram("nc")
        try requireProgram("socat")
        let lab = try ProxyLab(sides)
        if sides.client == .tcp {
            let port = lab.address.split(separator: ":").last ?? ""
            try expectAnswer(to: "nc -N 127.0.0.1 \(port)", from: lab)
            try expectAnswer(to: "socat -t 30 - TCP:127.0.0.1:\(port)", from: lab)
        } else {
            let path = lab.address.dropFirst("unix:".count)
            try expectAnswer(to: "nc -N -U \(path)", from: lab)
            try expectAnswer(to: "socat -t 30 - UNIX-CONNECT:\(path)", from: lab)
        }
    }

    /// Urgent bytes are out of band and are not passed on.
    @Test(
        "bytes after an urgent one arrive, few or many, and so does end of file",
        arguments: [3, 3 << 20],
        [true, false]
    )
    func passesUrgentBytes(size: Int, clientSends: Bool) throws {
        let lab = try ProxyLab()
        let (client, server) = try lab.join().share()
        let (sender, receiver) = clientSends ? (client, server) : (server, client)
        let sending = ConcurrentWork {
            try sender.client.send(Noise.slice(size, at: 0))
            try sender.client.sendUrgent(0x21)
            try sender.client.send(Noise.slice(size, at: size))
        }
        let bytes = try receiver.client.receive(exactly: 2 * size)
        #expect(bytes.count == 2 * size && Noise.isSlice(bytes, at: 0))
        try sending.join()
        try sender.client.finishSending()
        #expect(try receiver.client.receive() == [])
        // The other direction still works, even when its buffers fill up at times.
        let answering = ConcurrentWork {
            try receiver.client.send(Noise.slice(8 << 20, at: 11))
            try receiver.client.finishSending()
        }
        let answer = sender.client.receiveAll(atMost: 32_768, pause: 1)
        #expect(answer.bytes.count == 8 << 20 && Noise.isSlice(answer.bytes, at: 11))
        try answering.join()
        try lab.waitForNothing()
    }
}
