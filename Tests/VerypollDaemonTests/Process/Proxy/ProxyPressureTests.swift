internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Proxy: back-pressure")
struct ProxyPressureTests {
    /// The most bytes that the kernel may buffer between the two ends with the default tcp_rmem and
    /// tcp_wmem.
    private static let kernelLimit = 96 << 20

    /// Sends pieces of a pattern until none has been accepted for a while.
    ///
    /// - Returns: The number of accepted bytes.
    private func stuff(_ client: borrowing Client) throws -> Int {
        let block = Array(Noise.slice(1 << 20, at: 0))
        var sent = 0
        var calm = 0
        try eventually("the sender to be stalled") {
            calm += 1
            while sent < Self.kernelLimit {
                guard let count = try client.sendNow(block[(sent % block.count)...]) else { break }
                sent += count
                calm = 0
            }
            return calm == 50
        }
        return sent
    }

    /// Expects `count` bytes of the pattern, and then end of file.
    private func expectAll(_ count: Int, at client: borrowing Client) throws {
        let period = 1 << 20
        var received = 0
        while true {
            let bytes = try client.receive(atMost: period - received % period)
            if bytes.isEmpty { break }
            #expect(Noise.isSlice(bytes, at: received % period), "after \(received) bytes")
            received += bytes.count
        }
        #expect(received == count)
    }

    /// Passes some bytes over one session, so that one-time allocations are done.
    private func warmUp(_ lab: borrowing ProxyLab) throws {
        let (client, server) = try lab.join().share()
        let sending = ConcurrentWork {
            try client.client.send(Noise.slice(4 << 20, at: 0))
            try client.client.finishSending()
        }
        #expect(try server.client.receiveToEnd().count == 4 << 20)
        try server.client.finishSending()
        try sending.join()
        try lab.daemon.waitForNoSession()
    }

    @Test(
        "an end that does not read stalls the other, and receives everything once it reads",
        arguments: Sides.all,
        [true, false]
    )
    func stallsSender(sides: Sides, clientSends: Bool) throws {
        let lab = try ProxyLab(sides)
        try warmUp(lab)
        let memory = try lab.daemon.program.residentByteCount()
        let (client, server) = try lab.join().share()
        let (sender, receiver) = clientSends ? (client, server) : (server, client)
        let sent = try stuff(sender.client)
        #expect(sent < Self.kernelLimit)
        let session = try #require(try lab.daemon.sessions().first)
        #expect(session.buffered <= 1 << 20)
        let growth = try lab.daemon.program.residentByteCount() - memory
        #expect(isSanitized || growth < 1 << 20, "\(growth) bytes")
        try sender.client.finishSending()
        try expectAll(sent, at: receiver.client)
        try receiver.client.finishSending()
        try lab.waitForNothing()
        let totals = try lab.daemon.status().totals
        #expect(totals.bytesIn == 4 << 20 + (clientSends ? sent : 0))
        #expect(totals.bytesOut == (clientSends ? 0 : sent))
    }

    @Test("two ends that both send and do not read stall each other", arguments: Sides.all)
    func stallsBoth(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        try warmUp(lab)
        let memory = try lab.daemon.program.residentByteCount()
        let (client, server) = try lab.join().share()
        let up = try stuff(client.client)
        let down = try stuff(server.client)
        let growth = try lab.daemon.program.residentByteCount() - memory
        #expect(isSanitized || growth < 1 << 20, "\(growth) bytes")
        try client.client.finishSending()
        try server.client.finishSending()
        let reading = ConcurrentWork { try expectAll(up, at: server.client) }
        try expectAll(down, at: client.client)
        try reading.join()
        try lab.waitForNothing()
    }

    @Test("bytes buffered for a client are reported, and are those received but not yet sent")
    func tellsBuffered() throws {
        let lab = try ProxyLab(.unix)
        let joined = try lab.join()
        var sent = 0
        // A stalled daemon has not read anything yet, although its kernel has.
        let session = try eventually("bytes to be buffered") {
            sent += try stuff(joined.server)
            return try lab.daemon.sessions().first { $0.buffered > 0 }
        }
        #expect(session.bytesOut + session.buffered <= sent)
        #expect(session.bytesIn == 0 && session.state == .open)
    }

    /// A worker has up to 1,024 buffers.
    @Test("clients whose unread answers use up all buffers free them by reading")
    func freesBuffers() throws {
        let lab = try ProxyLab(.unix, workers: 1)
        // Most answers are copied while they are short; each session then stops with its own
        // buffer.
        var ends: [(client: Held, server: Held)] = []
        defer { withExtendedLifetime(ends) {} }
        for _ in 0..<1100 { ends.append(try lab.join().share()) }
        let block = Array(Noise.slice(30_000, at: 0))
        var sent = [Int](repeating: 0, count: ends.count)
        try eventually("the buffers to be used up") {
            for index in ends.indices {
                while let count = try ends[index].server.client.sendNow(block[...]) {
                    sent[index] += count
                }
            }
            let parked = try lab.daemon.sessions(#"{"limit": 2000}"#).filter { $0.buffered > 0 }
            return parked.count >= 1024
        }
        // Each client also sends a byte, for which no buffer is left.
        for end in ends { try end.client.client.send("?") }
        for index in ends.indices {
            let bytes = try ends[index].client.client.receive(exactly: sent[index])
            try #require(bytes.count == sent[index])
        }
        for end in ends { #expect(try end.server.client.receive(exactly: 1) == Array("?".utf8)) }
    }
}
