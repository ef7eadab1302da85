import DaemonTestSupport
import Testing
import Verypoll
import VerypollConfiguration

@testable import VerypollDaemon
@testable import VerypollServer

@Suite("FreeSockets")
struct FreeSocketsTests {
    private func configuration(
        _ name: String,
        _ addresses: String...,
        keys: String = ""
    ) throws -> ListenerConfiguration {
        let list = addresses.map { "\"\($0)\"" }.joined(separator: ", ")
        let text = #""\#(name)": {"listen": [\#(list)], "handler": {"type": "echo"}\#(keys)}"#
        return try #require(Configuration.test(listeners: text).listeners.first)
    }

    /// Makes a listening socket; its real address does not matter here.
    private func socket(at place: ListenAddress) throws -> ListeningSocket {
        let listener = try TCPListener(binding: .loopback(port: 0))
        return ListeningSocket(.tcp(listener), place: place, address: "\(place)", worker: nil)
    }

    /// Makes a listener with a socket for each of its addresses.
    private func live(_ configuration: ListenerConfiguration) throws -> LiveListener {
        LiveListener(
            configuration: configuration,
            slot: 0,
            sockets: try configuration.addresses.map { try socket(at: $0) },
            addresses: []
        )
    }

    private func take(
        _ address: String,
        for listener: ListenerConfiguration,
        from free: inout FreeSockets
    ) throws -> [ObjectIdentifier]? {
        try free.take(try ListenAddress(address), for: listener)?.map(ObjectIdentifier.init)
    }

    private func identities(_ sockets: [ListeningSocket]) -> [ObjectIdentifier] {
        sockets.map(ObjectIdentifier.init)
    }

    @Test("a listener keeps its own sockets, and takes each only once")
    func keepsOwn() throws {
        let web = try configuration("web", "127.0.0.1:80", "unix:@web")
        let former = try live(web)
        var free = FreeSockets([], [former], keptBy: [web])
        let tcp = try take("127.0.0.1:80", for: web, from: &free)
        #expect(tcp == identities([former.sockets[0]]))
        let again = try take("127.0.0.1:80", for: web, from: &free)
        #expect(again == nil)
        let rest = free.takeRest()
        #expect(identities(rest.own) == identities([former.sockets[1]]))
    }

    @Test("a socket moves to another listener only if its own listener drops the address")
    func movesSockets() throws {
        let old = try live(try configuration("old", "127.0.0.1:80", "127.0.0.1:81"))
        let kept = try configuration("old", "127.0.0.1:81")
        let new = try configuration("new", "127.0.0.1:80")
        var free = FreeSockets([], [old], keptBy: [kept, new])
        let moved = try take("127.0.0.1:80", for: new, from: &free)
        #expect(moved == identities([old.sockets[0]]))
        let foreign = try take("127.0.0.1:81", for: new, from: &free)
        #expect(foreign == nil)
    }

    @Test("a port chosen by the kernel stays with its listener")
    func keepsChosenPorts() throws {
        let old = try live(try configuration("old", "127.0.0.1:0"))
        let new = try configuration("new", "127.0.0.1:0")
        var free = FreeSockets([], [old], keptBy: [new])
        let foreign = try take("127.0.0.1:0", for: new, from: &free)
        #expect(foreign == nil)
        let own = try take("127.0.0.1:0", for: old.configuration, from: &free)
        #expect(own == identities(old.sockets))
    }

    @Test("options that are set before bind cannot change while a socket listens")
    func refusesOptions() throws {
        let old = try live(try configuration("web", "127.0.0.1:80", "unix:@web"))
        let new = try configuration(
            "web",
            "127.0.0.1:80",
            "unix:@web",
            keys: #", "socket": {"reusePort": true}"#
        )
        var free = FreeSockets([], [old], keptBy: [new])
        #expect(throws: ListenerError.self) {
            try take("127.0.0.1:80", for: new, from: &free)
        }
        // reusePort does not apply to a Unix-domain socket.
        let unix = try take("unix:@web", for: new, from: &free)
        #expect(unix == identities([old.sockets[1]]))
    }

    @Test("unclaimed systemd sockets are kept apart from sockets to be closed")
    func sortsRest() throws {
        let spare = try socket(at: .systemd("spare"))
        let old = try live(try configuration("web", "127.0.0.1:80", "systemd:web"))
        var free = FreeSockets([spare], [old], keptBy: [])
        let rest = free.takeRest()
        #expect(identities(rest.activated) == identities([spare, old.sockets[1]]))
        #expect(identities(rest.own) == identities([old.sockets[0]]))
        let none = free.takeRest()
        #expect(none.own.isEmpty && none.activated.isEmpty)
    }

    @Test("a spare systemd socket goes to the listener that names it")
    func takesSpare() throws {
        let spare = try socket(at: .systemd("spare"))
        let web = try configuration("web", "systemd:spare")
        var free = FreeSockets([spare], [], keptBy: [web])
        let taken = try take("systemd:spare", for: web, from: &free)
        #expect(taken == identities([spare]))
    }

    @Test("removed sockets are no longer available")
    func removes() throws {
        let old = try live(try configuration("web", "127.0.0.1:80"))
        var free = FreeSockets([], [old], keptBy: [old.configuration])
        free.remove(old.sockets)
        let own = try take("127.0.0.1:80", for: old.configuration, from: &free)
        #expect(own == nil)
        let rest = free.takeRest()
        #expect(rest.own.isEmpty)
    }
}
