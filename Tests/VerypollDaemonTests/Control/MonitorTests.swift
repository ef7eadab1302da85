import TestSupport
import Testing
import Varlink
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("ControlServer: monitors")
struct MonitorTests {
    private static let ping = #"{"method":"io.systemd.service.Ping"}"#
    private static let monitor = #"{"method":"io.verypoll.Daemon.Monitor","more":true}"#

    private func event(_ number: Int) -> MonitorEvent {
        var event = MonitorEvent(.lost, timestampUSec: 1)
        event.count = number
        return event
    }

    private func text(of number: Int) -> String {
        #"{"continues":true,"parameters":{"count":\#(number),"event":"lost","timestampUSec":1}}"#
    }

    @Test("Monitor without the more flag is an error, and the connection stays open")
    func wantsMore() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let call = #"{"method":"io.verypoll.Daemon.Monitor"}"#
        let answers = try fixture.answers(to: call, Self.ping, from: client)

        #expect(answers == [#"{"error":"org.varlink.service.ExpectedMore"}"#, "{}"])
        #expect(fixture.server.monitorCount == 0)
    }

    @Test("each monitor gets the current state and then the events; other clients get none")
    func tells() throws {
        var fixture = try ControlFixture()
        let first = try Client(path: fixture.path)
        let second = try Client(path: fixture.path)
        let other = try Client(path: fixture.path)
        let answers = [
            try fixture.answers(to: Self.monitor, from: first),
            try fixture.answers(to: Self.monitor, from: second),
        ]
        for answer in answers {
            let reply = try Reply(decoding: Array(try #require(answer.first).utf8))
            let event = try reply.parameters(as: MonitorEvent.self)
            #expect(reply.continues)
            #expect(event.event == .status)
            #expect(event.status == fixture.handler.status())
        }
        #expect(fixture.server.monitorCount == 2)
        fixture.server.tell([event(1), event(2)])

        #expect(try fixture.receiveMessages(2, from: first) == [text(of: 1), text(of: 2)])
        #expect(try fixture.receiveMessages(2, from: second) == [text(of: 1), text(of: 2)])
        #expect(try fixture.answers(to: Self.ping, from: other) == ["{}"])
    }

    @Test("a monitor that never reads is disconnected without delaying others")
    func closesStuck() throws {
        var fixture = try ControlFixture()
        let stuck = try Client(path: fixture.path)
        let reader = try Client(path: fixture.path)
        _ = try fixture.answers(to: Self.monitor, from: stuck)
        _ = try fixture.answers(to: Self.monitor, from: reader)
        let events = (0..<1000).map(event)
        var rounds = 0
        while fixture.server.monitorCount == 2 {
            fixture.server.tell(events)
            let told = try fixture.receiveMessages(1000, from: reader)
            try #require(told.count == 1000)
            rounds += 1
            try #require(rounds < 1000, "the monitor is never closed")
        }

        // The connection's buffers had room for several megabytes.
        #expect(rounds > 10)
        #expect(fixture.server.monitorCount == 1)
        let newcomer = try Client(path: fixture.path)
        #expect(try fixture.answers(to: Self.ping, from: newcomer) == ["{}"])
    }

    @Test("a monitor that disconnects is forgotten at once")
    func forgets() throws {
        var fixture = try ControlFixture()
        do {
            let gone = try Client(path: fixture.path)
            _ = try fixture.answers(to: Self.monitor, from: gone)
            #expect(fixture.server.monitorCount == 1)
        }
        // A child of another test may hold a copy of the socket until it calls execve(2).
        try eventually("its end") {
            let turns = try fixture.settle()
            #expect(turns < 10)
            return fixture.server.monitorCount == 0
        }
    }

    @Test("if monitors use all connections, a new client replaces one of them")
    func evicts() throws {
        var fixture = try ControlFixture()
        var monitors: [Held] = []
        for _ in 0..<ControlServer.clientLimit {
            let client = try Client(path: fixture.path)
            _ = try fixture.answers(to: Self.monitor, from: client)
            monitors.append(Held(client))
        }
        let newcomer = try Client(path: fixture.path)
        #expect(try fixture.answers(to: Self.ping, from: newcomer) == ["{}"])
        #expect(fixture.server.monitorCount == ControlServer.clientLimit - 1)
        #expect(try monitors[0].client.receiveToEnd() == [])
    }

    @Test("calls after a Monitor call are never answered")
    func holdsOthers() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        _ = try fixture.answers(to: Self.monitor, from: client)
        try client.send(Self.ping + "\0")
        try fixture.settle()
        fixture.server.tell([event(1)])
        fixture.server.tell([event(2)])

        #expect(try fixture.receiveMessages(2, from: client) == [text(of: 1), text(of: 2)])
    }
}
