import TestSupport
import Testing
import VerypollConfiguration
import VerypollControl

@testable import VerypollDaemon
@testable import VerypollServer

@Suite("LiveConfiguration")
struct LiveConfigurationTests {
    private typealias Fixture = LiveConfigurationFixture

    private static func serving(
        _ name: String,
        at address: String = "127.0.0.1:0",
        _ keys: String = ""
    ) -> String {
        #""\#(name)": {"listen": ["\#(address)"], "handler": {"type": "echo"}\#(keys)}"#
    }

    private static let front = """
        "front": {"listen": ["127.0.0.1:0"], "handler": {"type": "proxy", "upstream": "app"}}
        """

    private static func app(_ servers: String, _ keys: String = "") -> String {
        #""app": {"servers": [\#(servers)]\#(keys)}"#
    }

    @Test("an unchanged listener keeps its slot; a changed one gets another and keeps its socket")
    func keepsSockets() throws {
        var fixture = try Fixture(Self.serving("a"), Self.serving("b"))
        let (a, b) = (try fixture.listener("a"), try fixture.listener("b"))
        #expect([a.slot, b.slot] == [0, 1])
        let number = fixture.live.snapshot.number
        try fixture.change(to: Self.serving("a"), Self.serving("b", #", "maxSessions": 5"#))
        let (nextA, nextB) = (try fixture.listener("a"), try fixture.listener("b"))
        #expect([nextA.slot, nextB.slot] == [0, 2])
        #expect(nextB.formerSlots == [1])
        #expect(nextA.sockets.first === a.sockets.first)
        #expect(nextB.sockets.first === b.sockets.first)
        #expect(nextB.addresses == b.addresses)
        #expect(fixture.live.snapshot.listeners[2].maxSessions == 5)
        #expect(fixture.live.snapshot.number > number)
        #expect(fixture.acceptingSlots == [0, 2])
    }

    @Test("a slot is reused once it has no sessions, and its counts are kept")
    func reusesSlots() throws {
        var fixture = try Fixture(Self.serving("a"), Self.serving("b"))
        fixture.count(active: 1, accepted: 3, inSlot: 1)
        try fixture.change(to: Self.serving("a"), Self.serving("b", #", "maxSessions": 5"#))
        fixture.count(accepted: 4, inSlot: 2)
        try fixture.change(to: Self.serving("a"), Self.serving("b", #", "maxSessions": 6"#))
        let kept = try fixture.listener("b")
        #expect(kept.slot == 3)
        #expect(kept.formerSlots == [2, 1])
        #expect(fixture.live.slots(ofListener: "b") == [3, 2, 1])
        #expect(fixture.live.tally(of: kept).accepted == 7)
        #expect(fixture.live.totalTally.active == 1)

        fixture.count(accepted: 3, inSlot: 1)
        try fixture.change(to: Self.serving("a"), Self.serving("b", #", "maxSessions": 7"#))
        let reused = try fixture.listener("b")
        #expect(reused.slot == 1)
        #expect(reused.formerSlots == [3])
        #expect(fixture.live.snapshot.listeners.count == 4)
        #expect(fixture.live.tally(of: reused).accepted == 7)
        #expect(fixture.live.totalTally.accepted == 7)
    }

    @Test("a removed listener retires until its sessions end, and stays in the totals")
    func retires() throws {
        var fixture = try Fixture(Self.serving("a"), Self.serving("b"))
        let addresses = try fixture.listener("b").addresses.map(\.address)
        fixture.count(active: 2, accepted: 9, inSlot: 1)
        try fixture.change(to: Self.serving("a"))
        #expect(fixture.live.retiringListeners.map(\.slot) == [1])
        #expect(fixture.live.snapshot.drains.listeners.keys.sorted() == [1])
        #expect(fixture.live.slots(ofListener: "b") == nil)
        #expect(fixture.acceptingSlots == [0])
        #expect(fixture.takeLeavingAddresses() == addresses)
        #expect(fixture.live.totalTally.accepted == 9)
        #expect(fixture.live.totalTally.active == 2)

        try fixture.change(to: Self.serving("a"), Self.serving("c"))
        #expect(try fixture.listener("c").slot == 2)
        fixture.count(accepted: 9, inSlot: 1)
        try fixture.change(to: Self.serving("a"), Self.serving("c"), Self.serving("d"))
        let newest = try fixture.listener("d")
        #expect(newest.slot == 1)
        #expect(fixture.live.tally(of: newest).accepted == 0)
        #expect(fixture.live.retiringListeners.isEmpty)
        #expect(fixture.live.snapshot.drains.isEmpty)
        #expect(fixture.live.totalTally.accepted == 9)
    }

    @Test("sessions keep their upstream; its slot is free once their listener's slot is")
    func keepsUpstreams() throws {
        let server = #""127.0.0.1:9""#
        var fixture = try Fixture(Self.front, upstreams: Self.app(server))
        fixture.count(active: 1, accepted: 1, inSlot: 0)
        let limit = #", "maxSessions": 3"#
        try fixture.change(to: Self.front, upstreams: Self.app(server, limit))
        #expect(fixture.live.upstreams.map(\.slot) == [1])
        #expect(fixture.live.snapshot.listeners.map(\.upstream) == [0, 1])
        #expect(try fixture.listener("front").formerSlots == [0])

        try fixture.change(to: Self.front, upstreams: Self.app(server, limit))
        #expect(fixture.live.upstreams.map(\.slot) == [1])
        fixture.count(accepted: 1, inSlot: 0)
        try fixture.change(to: Self.front, upstreams: Self.app(server))
        #expect(fixture.live.upstreams.map(\.slot) == [0])
        #expect(try fixture.listener("front").slot == 0)
    }

    @Test("servers that a change removes are found, and the remaining ones are kept")
    func findsLeftServers() throws {
        let both = #""127.0.0.1:9", "127.0.0.1:10""#
        var fixture = try Fixture(Self.front, upstreams: Self.app(both))
        let before = fixture.live
        try fixture.change(to: Self.front, upstreams: Self.app(#""127.0.0.1:10""#))
        let left = fixture.live.serversLeft(by: before)
        #expect(left == [ServerIndex(upstream: 0, server: 0)])
        let kept = fixture.live.snapshot.upstreams[1].servers[0]
        #expect(kept === before.snapshot.upstreams[0].servers[1])
    }

    @Test("listeners that a change adds or modifies are found")
    func findsChangedListeners() throws {
        var fixture = try Fixture(Self.serving("a"), Self.serving("b"))
        let before = fixture.live
        try fixture.change(
            to: Self.serving("a"),
            Self.serving("b", #", "maxSessions": 5"#),
            Self.serving("c")
        )
        #expect(fixture.live.listenersChanged(from: before).map(\.name) == ["b", "c"])
    }

    @Test("a change whose socket cannot be opened names the listener and changes nothing")
    func refuses() throws {
        var fixture = try Fixture(Self.serving("a"))
        let server = try Server()
        defer { withExtendedLifetime(server) {} }
        let number = fixture.live.snapshot.number
        do {
            let taken = "127.0.0.1:\(server.port)"
            try fixture.change(to: Self.serving("b", at: taken), Self.serving("c"))
            Issue.record("bound a port that another socket uses")
        } catch let error as ListenerError {
            #expect(error.listener == "b")
        }
        #expect(fixture.live.listeners.map(\.name) == ["a"])
        #expect(fixture.live.snapshot.number == number)
        let address = try #require(fixture.listener("a").addresses.first?.address)
        _ = try Client(address: address)
    }

    @Test("a drained listener has a drain window and no acceptor until it is resumed")
    func drains() throws {
        var fixture = try Fixture(Self.serving("a"), Self.serving("b"))
        let window = DrainWindow(from: 1, lasting: 1000)
        let address = try fixture.listener("a").addresses.map(\.address)
        fixture.drain(["a", "x"], window)
        #expect(fixture.takeLeavingAddresses() == address)
        #expect(fixture.acceptingSlots == [1])
        #expect(fixture.live.snapshot.drains.listeners == [0: window])
        #expect(try fixture.listener("a").addresses.count == 1)

        try fixture.change(to: Self.serving("a", #", "maxSessions": 5"#), Self.serving("b"))
        #expect(fixture.live.snapshot.drains.listeners == [0: window, 2: window])
        #expect(fixture.acceptingSlots == [1])
        try fixture.resume(["a", "x"])
        #expect(fixture.acceptingSlots == [2, 1])
        #expect(fixture.live.snapshot.drains.isEmpty)
        #expect(fixture.takeLeavingAddresses() == [])
    }

    @Test("while the daemon does not accept, no listener has an acceptor, even after a change")
    func closes() throws {
        var fixture = try Fixture(Self.serving("a"))
        fixture.setClosed(true)
        #expect(fixture.acceptingSlots == [])
        try fixture.change(to: Self.serving("a"), Self.serving("b"))
        #expect(fixture.acceptingSlots == [])
        fixture.setClosed(false)
        #expect(fixture.acceptingSlots == [0, 1])
    }
}
