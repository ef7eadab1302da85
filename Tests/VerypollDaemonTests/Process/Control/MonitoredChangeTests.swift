internal import Foundation
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("Control socket: changes reported to monitors")
struct MonitoredChangeTests {
    /// An event as a third-party client would decode it.
    private struct Told: Decodable, Equatable {
        struct Server: Decodable, Equatable {
            var mode: String
            var state: String
            var weight: Int
        }
        struct Listener: Decodable, Equatable {
            var name: String
            var state: String
            var stateReason: String?
        }
        struct Problem: Decodable, Equatable {
            var pointer: String
        }

        var event: String
        var timestampUSec: Int
        var server: Server?
        var listener: Listener?
        var problems: [Problem]?
        var count: Int?
    }

    private func monitor(_ daemon: borrowing TestDaemon) throws -> ControlPeer {
        var peer = try ControlPeer(path: daemon.controlPath)
        try peer.client.send(
            ControlPeer.message("io.verypoll.Daemon.Monitor", flags: #", "more": true"#)
        )
        #expect(try next(from: &peer).event == "status")
        return peer
    }

    private func next(from peer: inout ControlPeer) throws -> Told {
        try #require(try peer.reply(Told.self).parameters)
    }

    /// Returns the next `count` events of certain kinds, and skips other kinds.
    private func next(
        _ count: Int,
        of kinds: Set<String>,
        from peer: inout ControlPeer
    ) throws -> [Told] {
        var told: [Told] = []
        while told.count < count {
            let event = try next(from: &peer)
            #expect(event.event != "lost")
            if kinds.contains(event.event) { told.append(event) }
        }
        return told
    }

    private func now() -> Int { Int(Date().timeIntervalSince1970 * 1_000_000) }

    @Test("each change of a server is reported with its own time, in rapid succession too")
    func tellsOfOrders() throws {
        let daemon = try TestDaemon(
            serving("echo", listen: "unix:DIR/echo"),
            more: #""upstreams": {"app": {"servers": ["unix:DIR/echo"]}},"#
        )
        let echo = "unix:" + daemon.directory.appending("echo")
        var monitor = try monitor(daemon)
        var operate = try ControlPeer(path: daemon.controlPath)
        var times = [now()]
        for order in [
            #""weight": 2"#, #""state": "drain""#, #""state": "up", "weight": 3"#,
            #""state": "down""#, #""state": "up""#,
        ] {
            let server = #""upstream": "app", "server": "\#(echo)""#
            let reply = try operate.call("io.verypoll.Daemon.SetServer", "{\(server), \(order)}")
            #expect(reply.error == nil)
            times.append(now())
        }

        let kinds: Set = ["server-set", "server-up", "server-down"]
        let told = try next(9, of: kinds, from: &monitor)
        let orders = told.filter { $0.event == "server-set" }
        #expect(orders.map(\.server?.mode) == ["up", "drain", "up", "down", "up"])
        #expect(orders.map(\.server?.weight) == [2, 2, 3, 3, 3])
        for (index, order) in orders.enumerated() {
            #expect(times[index]...times[index + 1] ~= order.timestampUSec, "\(index)")
        }
        // As a consequence, sessions stop or resume using the server from the same moment.
        let effects = told.filter { $0.event != "server-set" }
        #expect(
            effects.map(\.event) == ["server-down", "server-up", "server-down", "server-up"]
        )
        #expect(effects.map(\.timestampUSec) == orders.dropFirst().map(\.timestampUSec))
        #expect(effects.map(\.server) == orders.dropFirst().map(\.server))
    }

    @Test("a mode set by a reload is reported only if it changes whether the server gets sessions")
    func tellsOfModes() throws {
        func app(_ keys: String) -> String {
            #""upstreams": {"app": {"servers": [{"address": "unix:DIR/echo"\#(keys)}]}},"#
        }
        let listener = serving("echo", listen: "unix:DIR/echo")
        let daemon = try TestDaemon(listener, more: app(""))
        let echo = "unix:" + daemon.directory.appending("echo")
        var monitor = try monitor(daemon)
        let order = #"{"upstream": "app", "server": "\#(echo)", "state": "down"}"#
        try daemon.order("SetServer", order)
        for keys in [#", "state": "drain""#, "", #", "state": "down""#, #", "state": "drain""#] {
            try daemon.rewrite(listener, more: app(keys))
            try daemon.reload()
        }
        try daemon.rewrite(listener, more: app(""))
        try daemon.reload()
        let told = try next(4, of: ["server-up", "server-down"], from: &monitor)
        #expect(told.map(\.event) == ["server-down", "server-up", "server-down", "server-up"])
        #expect(told.map(\.server?.mode) == ["down", "up", "down", "up"])
    }

    @Test("a drain and an immediate resume are both reported, each with its own time")
    func tellsOfDrains() throws {
        let daemon = try TestDaemon(serving("echo"))
        var monitor = try monitor(daemon)
        let client = try daemon.connect()
        try client.send("hello")
        #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        var operate = try ControlPeer(path: daemon.controlPath)
        var times = [now()]
        for method in ["Drain", "Resume"] {
            #expect(try operate.call("io.verypoll.Daemon.\(method)").error == nil)
            times.append(now())
        }
        let told = try next(2, of: ["listener-changed"], from: &monitor)
        #expect(told.map(\.listener?.state) == ["draining", "accepting"])
        for (index, event) in told.enumerated() {
            #expect(times[index]...times[index + 1] ~= event.timestampUSec)
        }
    }

    @Test("the end of a drain is reported with the time of the last session's end")
    func tellsOfDrained() throws {
        let daemon = try TestDaemon(serving("echo"))
        var monitor = try monitor(daemon)
        let client = try daemon.connect()
        try client.send("hello")
        #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        try daemon.order("Drain", #"{"deadline": "1h"}"#)
        try client.finishSending()
        let told = try next(3, of: ["listener-changed", "session-closed"], from: &monitor)
        #expect(told.map(\.event) == ["listener-changed", "session-closed", "listener-changed"])
        #expect(told.map(\.listener?.state) == ["draining", nil, "drained"])
        #expect(told[2].timestampUSec == told[1].timestampUSec)
    }

    @Test("a rejected reload is reported with all its problems and its own time")
    func tellsOfRefusals() throws {
        let daemon = try TestDaemon(serving("echo"))
        var monitor = try monitor(daemon)
        try daemon.rewrite(serving("ecco"), serving("discord"))
        let before = now()
        #expect(try daemon.refusedReload().count == 2)
        let after = now()
        let event = try next(from: &monitor)
        #expect(event.event == "reload-refused")
        #expect(before...after ~= event.timestampUSec)
        let pointers = event.problems?.map(\.pointer).sorted()
        #expect(pointers == ["/listeners/discord/handler/type", "/listeners/ecco/handler/type"])
    }

    @Test("a listener's pause and its end are both reported")
    func tellsOfPauses() throws {
        let daemon = try TestDaemon(serving("echo", ", \"maxSessions\": 1"), workers: 1)
        let address = try daemon.address()
        var monitor = try monitor(daemon)
        let before = now()
        let end: Int
        do {
            let first = try Client(address: address)
            try first.send("1")
            #expect(try first.receive(exactly: 1) == Array("1".utf8))
            let second = try Client(address: address)
            let paused = try next(1, of: ["listener-changed"], from: &monitor)[0]
            #expect(before...now() ~= paused.timestampUSec)
            #expect(paused.listener?.state == "paused")
            #expect(paused.listener?.stateReason == "the limit of 1 sessions is reached")
            // Read while both clients are connected: the listener resumes only later.
            end = now()
            withExtendedLifetime((second.descriptor, first.descriptor)) {}
        }
        try eventually("the listener to accept again") {
            let event = try next(1, of: ["listener-changed"], from: &monitor)[0]
            return event.listener?.state == "accepting" && end <= event.timestampUSec
        }
    }
}
