import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Session with a server")
struct ProxiedSessionTests {
    private func session(
        _ client: consuming SessionSocket,
        _ server: consuming SessionSocket,
        isConnected: Bool = true
    ) -> Session {
        var session = Session(
            id: 1,
            listener: 0,
            now: 1_000_000,
            socket: client,
            peer: nil,
            upstream: 0
        )
        session.proxyState.server = Endpoint(server, flags: .outputReady)
        session.proxyState.connector.restore(
            Connector.Restored(
                server: 0,
                isConnecting: !isConnected,
                isBreaking: false,
                address: 1,
                nextAt: .max,
                endsAt: .max,
                nanosecond: 0
            )
        )
        return session
    }

    @Test("buffered bytes reach the client even if no buffer is left for its own bytes")
    func givesBeforeItTakes() throws {
        let client = try SocketPair(.unix)
        let server = try SocketPair(.unix)
        var session = session(client.near, server.near)
        var context = ServeContext(splicePipes: SplicePipePool(limit: 0), now: 0)
        var sent = 0
        while session.toClient.isEmpty {
            sent += try server.far.sendNoise(10_000, at: 0) ?? 0
            session.proxyState.server.flags.insert(.inputReady)
            _ = session.serve(.proxy, in: &context)
        }
        var buffers = TakenBuffers()
        buffers.take(from: &context.pool)
        _ = try client.far.sendNoise(1, at: 0)
        let before = try client.far.drain()
        #expect(before < sent)

        // As an event would report.
        session.client.flags.insert([.inputReady, .outputReady])
        _ = session.serve(.proxy, in: &context)
        let isGiven = session.toClient.isEmpty
        #expect(isGiven)
        #expect(try client.far.drain() > 0)
        buffers.give(to: &context.pool)
        session.toServer.releaseBuffers(in: &context)
        session.toClient.releaseBuffers(in: &context)
    }

    @Test("an end of file is passed on while the other direction streams without a pause")
    func passesEndBesideBulk() throws {
        let client = try SocketPair(.unix, sendBuffer: 4 << 20)
        let server = try SocketPair(.unix, sendBuffer: 4 << 20)
        var session = session(client.near, server.near)
        var context = ServeContext(splicePipes: SplicePipePool(limit: 0), now: 0)
        var sent = 0
        while sent < 3 << 20 { sent += try server.far.sendNoise(1 << 16, at: 0) ?? 0 }
        try client.far.shutdownWriting()
        session.client.flags.insert(.inputReady)
        session.proxyState.server.flags.insert(.inputReady)
        for _ in 0..<3 { #expect(session.serve(.proxy, in: &context).step == .again) }
        #expect(session.bytesOut < sent)
        #expect(try server.far.receiveNow() == [])
    }

    @Test("a server that sent bytes counts as reached, even if it then reset the connection")
    func countsBriefServer() throws {
        let client = try SocketPair(.unix)
        let server = try SocketPair(.tcp)
        _ = try server.far.write(Array("too many connections".utf8).span, isLast: false)
        server.far.reset()
        var session = session(client.near, server.near, isConnected: false)
        var context = ServeContext(splicePipes: SplicePipePool(limit: 0), now: 0)
        var step = Session.Step.wait
        try eventually("the end of the session") {
            // As an event would report; the bytes may not have arrived yet.
            session.proxyState.server.flags.insert([.inputReady, .isReadToNil])
            step = session.serve(.proxy, in: &context).step
            return step != .wait && step != .again
        }
        #expect(step == .end(.serverFailed(.connectionReset)))
        #expect(session.proxyState.connector.phase == .connected)
        #expect(try client.far.receiveNow() == Array("too many connections".utf8))
    }
}
