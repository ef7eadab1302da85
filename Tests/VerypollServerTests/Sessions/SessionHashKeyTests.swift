import DaemonTestSupport
import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("The hash key of a session")
struct SessionHashKeyTests {
    private static let peer = SocketAddress(IPAddress(v4: 0xC000_0207), port: 4711)

    private func session(over socket: consuming SessionSocket, peer: SocketAddress?) -> Session {
        Session(id: 1, listener: 0, now: 0, socket: socket, peer: peer, upstream: 0)
    }

    private func announced(_ name: String) -> InspectedClient {
        var hello = ClientHello()
        #expect(hello.read(ClientHelloBytes(name).record.span) == .complete)
        let client = InspectedClient()
        client.take(hello)
        return client
    }

    @Test("the source is the client's address, whatever its port and the form of the address")
    func hashesSources() throws {
        let sessionPair = try SocketPair(.tcp)
        var session = session(over: sessionPair.near, peer: Self.peer)
        let key = session.hashKey(for: .source)
        #expect(key == SourceHash.key(IPAddress("192.0.2.7")))
        session.peer = SocketAddress(IPAddress(v6: 0xFFFF_C000_0207), port: 1)
        let mapped = session.hashKey(for: .source)
        #expect(mapped == key)
    }

    @Test("the server name counts in lower case, and a client without a name counts by its source")
    func hashesServerNames() throws {
        let sessionPair = try SocketPair(.tcp)
        var session = session(over: sessionPair.near, peer: Self.peer)
        session.announced = announced("Shop.Example.COM.")
        let named = session.hashKey(for: .serverName)
        #expect(named == SourceHash.key(serverName: Array("shop.example.com".utf8)))
        session.announced = announced("10.0.0.1")
        let invalid = session.hashKey(for: .serverName)
        session.announced = nil
        let plain = session.hashKey(for: .serverName)
        let source = session.hashKey(for: .source)
        #expect(invalid == source)
        #expect(plain == source)
    }

    @Test("the destination is the socket's own address, or the one in the PROXY header")
    func hashesDestinations() throws {
        let sessionPair = try SocketPair(.tcp)
        var session = session(over: sessionPair.near, peer: Self.peer)
        let own = session.hashKey(for: .destination)
        #expect(own == SourceHash.key(IPAddress("127.0.0.1")))
        let addresses = HeaderAddresses()
        addresses.destination = SocketAddress(IPAddress(v4: 0x0A00_0001), port: 443)
        session.headerAddresses = addresses
        let announced = session.hashKey(for: .destination)
        #expect(announced == SourceHash.key(IPAddress("10.0.0.1")))
    }

    @Test("Unix-domain clients without an address have one key")
    func hashesUnixClients() throws {
        let sessionPair = try SocketPair(.unix)
        var session = session(over: sessionPair.near, peer: nil)
        for kind in UpstreamConfiguration.HashKey.allCases {
            let key = session.hashKey(for: kind)
            #expect(key == SourceHash.key(nil))
        }
    }

    @Test("a session that is still looking for a server has the same key after a restart")
    func survivesRestarts() throws {
        let addresses = HeaderAddresses()
        addresses.destination = SocketAddress(IPAddress(v4: 0x0A00_0001), port: 443)
        let configuration = try Configuration.test(
            listeners: #"""
                "front": {"listen": ["127.0.0.1:0"],
                "handler": {"type": "proxy", "inspect": "tls", "upstream": "app"}}
                """#,
            upstreams: #""app": {"servers": ["10.0.0.1:80"]}"#
        )
        let listener = Listener(
            configuration.listeners[0],
            upstreams: [0],
            capacity: 10,
            workers: 1
        )
        var context = ServeContext(splicePipes: SplicePipePool(limit: 0), now: 0)
        let beforePair = try SocketPair(.tcp)
        var before = session(over: beforePair.near, peer: Self.peer)
        before.announced = announced("shop.example.com")
        before.headerAddresses = addresses
        let record = before.record(listener: listener, upstream: nil, now: 0)
        var writer = RecordWriter()
        record.encode(into: &writer)
        var reader = RecordReader(writer.bytes[...])
        let read = try SessionRecord(from: &reader)
        let afterPair = try SocketPair(.tcp)
        var after = session(over: afterPair.near, peer: read.peer)
        after.restoreInspection(read, listener.router, in: &context)
        after.restoreStory(read, in: &context)
        for kind in UpstreamConfiguration.HashKey.allCases {
            let (old, new) = (before.hashKey(for: kind), after.hashKey(for: kind))
            #expect(old == new)
        }
    }
}
