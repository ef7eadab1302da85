import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Proxy: upstreams that lead back to the daemon")
struct OwnConnectionTests {
    @Test("a connection is found by its address for as long as it exists")
    func knows() {
        let connections = OwnConnections()
        let v4 = SocketAddress(IPAddress(v4: 0x7F00_0001), port: 4711)
        let mapped = SocketAddress(IPAddress(v6: 0xFFFF_7F00_0001), port: 4711)
        #expect(connections.hops(from: v4) == 0)
        connections.note(v4, hops: 3)
        #expect(connections.hops(from: v4) == 3)
        #expect(connections.hops(from: mapped) == 3)
        #expect(connections.hops(from: SocketAddress(v4.ip, port: 4712)) == 0)
        connections.forget(SocketAddress(v4.ip, port: 4712))
        #expect(connections.hops(from: v4) == 3)
        connections.forget(mapped)
        #expect(connections.hops(from: v4) == 0)
    }

    @Test("a loop that appears only at run time is broken, and the log has the remedy")
    func breaksCircle() throws {
        let socket = try Server()
        let daemon = try TestDaemon(
            proxying(as: "front", listen: "systemd:web"),
            more: upstreams(upstream(["127.0.0.1:\(socket.port)"])),
            sockets: [PassedSocket(name: "web", descriptor: socket.descriptor)]
        )
        let client = try Client(port: socket.port)
        let reception = client.receiveAll()
        #expect(reception.bytes == [])
        try daemon.waitForNoSession()
        try daemon.program.waitForStandardError(containing: "was refused as a circle")
        // A worker may accept the next connection before another has noted it, which costs extra
        // rounds.
        #expect(try daemon.status().totals.accepted < 5000)
    }

    @Test("a chain of listeners that ends at another server serves many clients")
    func servesChain() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let socket = try Server()
        let daemon = try TestDaemon(
            proxying(to: "chain", as: "front"),
            proxying(as: "back", listen: "systemd:web"),
            more: upstreams(
                upstream(["127.0.0.1:\(socket.port)"], as: "chain"),
                upstream([server.address])
            ),
            sockets: [PassedSocket(name: "web", descriptor: socket.descriptor)]
        )
        let address = try daemon.address(of: "front")
        for _ in 0..<50 { #expect(try Client(address: address).ask() == "app") }
        let kept = try (0..<20).map { _ in Held(try Client(address: address)) }
        for held in kept { #expect(try held.client.ask() == "app") }
    }
}
