internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Proxy: resets")
struct ProxyResetTests {
    /// Expects a reset if the transport has resets.
    private func expectReset(_ reception: Reception, over transport: Transport) {
        if transport == .tcp {
            #expect(reception.error == .connectionReset)
        } else {
            #expect(reception.error == nil || reception.error == .connectionReset)
        }
    }

    @Test("a client's reset arrives at the server", arguments: Sides.all, [true, false])
    func passesClientsReset(sides: Sides, speaks: Bool) throws {
        let lab = try ProxyLab(sides)
        let client = try lab.connect()
        let server = try lab.server.accept()
        if speaks {
            try client.send("?")
            #expect(try server.receive(exactly: 1) == Array("?".utf8))
        }
        try client.reset()
        let reception = server.receiveAll()
        #expect(reception.bytes == [])
        // A Unix-domain socket has no reset; its client simply closes.
        if sides.client == .tcp {
            expectReset(reception, over: sides.server)
        } else {
            try server.finishSending()
        }
        try lab.waitForNothing()
    }

    @Test("a server's reset arrives at the client", arguments: Sides.all, [true, false])
    func passesServersReset(sides: Sides, speaks: Bool) throws {
        let lab = try ProxyLab(sides)
        let client = try lab.connect()
        let server = try lab.server.accept()
        if speaks {
            try client.send("?")
            #expect(try server.receive(exactly: 1) == Array("?".utf8))
            try server.send("!")
            #expect(try client.receive(exactly: 1) == Array("!".utf8))
        } else {
            // By then the daemon has seen the connection complete.
            try eventually("the session") { try lab.daemon.sessions().count == 1 }
        }
        try server.reset()
        let reception = client.receiveAll()
        #expect(reception.bytes == [])
        if sides.server == .tcp {
            expectReset(reception, over: sides.client)
        } else {
            try client.finishSending()
        }
        try lab.waitForNothing()
    }

    @Test("bytes sent before a client's reset reach the server", arguments: [Transport.tcp, .unix])
    func keepsBytesBeforeClientsReset(to transport: Transport) throws {
        let lab = try ProxyLab(Sides(client: .tcp, server: transport))
        let client = try lab.connect()
        let server = try lab.server.accept()
        let size = 1 << 18  // Fits into the kernel's buffers while the server does not read.
        try client.send(Noise.slice(size, at: 2))
        try client.waitUntilTaken()
        try client.reset()
        let reception = server.receiveAll(atMost: 16_384, pause: 1)
        #expect(reception.bytes.count == size && Noise.isSlice(reception.bytes, at: 2))
        expectReset(reception, over: transport)
        try lab.waitForNothing()
    }

    @Test(
        "the whole answer arrives from a server that closes without reading the request",
        arguments: Sides.all,
        [10, 300_000]
    )
    func keepsBytesBeforeServersReset(sides: Sides, size: Int) throws {
        let lab = try ProxyLab(sides)
        let client = Held(try lab.connect())
        try client.client.setReceiveBuffer(4096)
        let answering = try answer(Held(try lab.server.accept()), with: size)
        try client.client.send("a request that nobody reads")
        let reception = client.client.receiveAll(atMost: 16_384, pause: 1)
        #expect(reception.bytes.count == size && Noise.isSlice(reception.bytes, at: 9))
        expectReset(reception, over: sides.client)
        try answering.join()
        try lab.waitForNothing()
    }

    /// Sends an answer once a request has arrived, and closes without reading the request.
    private func answer(_ server: consuming Held, with size: Int) throws -> ConcurrentWork<Void> {
        ConcurrentWork { [server] in
            try eventually("a request") { try server.client.unreadByteCount() > 0 }
            try server.client.send(Noise.slice(size, at: 9))
            try server.client.waitUntilTaken()
        }
    }

    @Test("a session ends if its client breaks the connection before reading the last bytes")
    func letsSlowClientGo() throws {
        let lab = try ProxyLab()
        let client = try lab.connect()
        try client.setReceiveBuffer(4096)
        let answering = try answer(Held(try lab.server.accept()), with: 1 << 20)
        try client.send("a request that nobody reads")
        try answering.join()
        // The server has closed, and the daemon has its answer.
        #expect(try lab.daemon.status().totals.active == 1)
        try client.reset()
        try lab.daemon.waitForNoSession()
    }

    @Test("a reset after an end of file arrives as well", arguments: [true, false])
    func passesResetBehindEnd(isClients: Bool) throws {
        let lab = try ProxyLab()
        var first = try lab.connect()
        var second = try lab.server.accept()
        if !isClients { swap(&first, &second) }
        try first.send("the last")
        try first.finishSending()
        #expect(try second.receiveToEnd() == Array("the last".utf8))
        try first.reset()
        // The second end has read end of file, so further reads return only that.
        try lab.daemon.waitForNoSession()
        try eventually("the reset") { isBroken(second) }
    }

    /// Returns whether sending fails.
    private func isBroken(_ client: borrowing Client) -> Bool {
        do throws(Errno) { try client.send("?") } catch { return true }
        return false
    }

    @Test("a session ends when both ends have broken the connection", arguments: Sides.all)
    func endsBroken(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        for _ in 0..<20 {
            let client = try lab.connect()
            let server = try lab.server.accept()
            try client.send("?")
            try server.send("!")
            try client.reset()
            try server.reset()
        }
        try lab.waitForNothing()
        #expect(try lab.daemon.status().totals.accepted == 20)
    }
}
