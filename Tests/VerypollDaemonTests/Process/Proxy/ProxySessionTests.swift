internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Proxy: sessions and descriptors")
struct ProxySessionTests {
    /// The descriptors of a worker's pipes: those kept for later sessions, and the most in use.
    private static let keptDescriptors = 2 * 16
    private static let mostDescriptors = 2 * 64

    @Test("an open session costs at most two descriptors", arguments: Sides.all)
    func costsTwo(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        try lab.daemon.waitForNoSession()
        let before = try lab.daemon.program.openDescriptorCount()
        let sessions = try (0..<100).map { _ in
            let joined = try lab.join()
            try joined.greet()
            return joined.share()
        }
        #expect(try lab.daemon.sessions().count == 100)
        // The control connection may not be closed yet.
        try eventually("two descriptors per session") {
            try lab.daemon.program.openDescriptorCount() <= before + 200
        }
        withExtendedLifetime(sessions) {}
    }

    @Test("bulk data uses a bounded number of pipes, and some are kept", arguments: Sides.all)
    func boundsPipes(sides: Sides) throws {
        let lab = try ProxyLab(sides, workers: 1)
        let before = try lab.daemon.program.openDescriptorCount()
        let sessions = try (0..<100).map { _ in try lab.join().share() }
        // All sessions stop in the middle of bulk data.
        let block = Array(Noise.slice(1 << 20, at: 0))
        var sent = [Int](repeating: 0, count: sessions.count)
        var calm = 0
        try eventually("all sessions to be stalled") {
            var isAny = false
            for (index, session) in sessions.enumerated() {
                while sent[index] < 8 << 20 {
                    let rest = block[(sent[index] % block.count)...]
                    guard let count = try session.server.client.sendNow(rest) else { break }
                    sent[index] += count
                    isAny = true
                }
            }
            calm = isAny ? 0 : calm + 1
            return calm == 20
        }
        let most = before + 200 + Self.mostDescriptors
        #expect(try lab.daemon.program.openDescriptorCount() <= most + 1)
        for (index, session) in sessions.enumerated() {
            try session.server.client.finishSending()
            var count = 0
            while case let bytes = try session.client.client.receive(), !bytes.isEmpty {
                count += bytes.count
            }
            #expect(count == sent[index])
            try session.client.client.finishSending()
        }
        try lab.waitForNothing()
        try eventually("the descriptors to be closed") {
            try lab.daemon.program.openDescriptorCount() <= before + Self.keptDescriptors
        }
        // The bulk data went through pipes; otherwise there would be none to keep.
        #expect(try lab.daemon.program.openDescriptorCount() > before)
        withExtendedLifetime(sessions) {}
    }

    @Test("a session is listed with its bytes, its state and its client", arguments: Sides.all)
    func listsSession(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        let joined = try lab.join()
        try joined.client.send("12345")
        #expect(try joined.server.receive(exactly: 5).count == 5)
        try joined.server.send("1234567")
        #expect(try joined.client.receive(exactly: 7).count == 7)
        try lab.daemon.waitForTotals("12 bytes") { $0.bytesIn == 5 && $0.bytesOut == 7 }
        let session = try #require(try lab.daemon.sessions().first)
        #expect((session.bytesIn, session.bytesOut, session.buffered) == (5, 7, 0))
        #expect(session.listener == "proxy" && session.state == .open)
        #expect(session.peer.hasPrefix(sides.client == .tcp ? "127.0.0.1:" : "unix:pid="))
        #expect(session.local == lab.address)
        try joined.server.finishSending()
        #expect(try joined.client.receive() == [])
        #expect(try lab.daemon.sessions().map(\.state) == [.halfClosed])
    }

    @Test("killing a session closes both ends and no other session", arguments: Sides.all)
    func kills(sides: Sides) throws {
        let lab = try ProxyLab(sides)
        let victim = try lab.join()
        try victim.greet()
        let id = try #require(try lab.daemon.sessions().first).id
        let other = try lab.join()
        try other.greet()
        var peer = try ControlPeer(path: lab.daemon.controlPath)
        let reply = try peer.call("io.verypoll.Daemon.KillSession", #"{"id": \#(id)}"#)
        #expect(reply.error == nil)
        for reception in [victim.client.receiveAll(), victim.server.receiveAll()] {
            #expect(reception.bytes == [])
            #expect(reception.error == nil || reception.error == .connectionReset)
        }
        try other.greet()
        #expect(try lab.daemon.status().totals.active == 1)
    }

    @Test("a stop also ends the sessions of held clients")
    func stops() throws {
        let lab = try ProxyLab(upstream: #", "retry": {"for": "10min"}"#, backlog: nil)
        let held = try lab.connect()
        try held.send("anybody?")
        try eventually("the session") { try lab.daemon.sessions().count == 1 }
        try lab.daemon.program.send(SIGTERM)
        try eventually("the drain") { try lab.daemon.status().state == .draining }
        #expect(try held.receiveNow() == nil)
        // The second signal ends the wait.
        try lab.daemon.program.send(SIGTERM)
        #expect(try lab.daemon.program.waitForExit() == .code(0))
        #expect(held.receiveAll().bytes == [])
    }
}
