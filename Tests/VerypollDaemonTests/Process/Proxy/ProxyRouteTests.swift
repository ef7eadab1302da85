internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Proxy: connecting to a server")
struct ProxyRouteTests {
    /// Expects a client to be refused, possibly before it has sent its text.
    private func expectRefusal(
        _ client: borrowing Client,
        saying text: String,
        over transport: Transport
    ) {
        do throws(Errno) {
            try client.send(text)
            expectRefusal(client, over: transport)
        } catch {
            #expect(error == .connectionReset || error == .brokenPipe)
        }
    }

    private func expectRefusal(_ client: borrowing Client, over transport: Transport) {
        let reception = client.receiveAll()
        #expect(reception.bytes == [])
        if transport == .tcp {
            #expect(reception.error == .connectionReset)
        } else {
            #expect(reception.error == nil || reception.error == .connectionReset)
        }
    }

    @Test("a client is reset if the only server refuses", arguments: Sides.all, [true, false])
    func resetsUnserved(sides: Sides, speaks: Bool) throws {
        let lab = try ProxyLab(sides, backlog: nil)
        let client = try lab.connect()
        expectRefusal(client, saying: speaks ? "anybody?" : "", over: sides.client)
        try lab.waitForNothing()
        let totals = try lab.daemon.status().totals
        #expect((totals.accepted, totals.bytesIn, totals.bytesOut) == (1, 0, 0))
    }

    @Test("if one server refuses, the next is tried", arguments: Sides.all)
    func triesNext(sides: Sides) throws {
        let lab = try ProxyLab(sides, backlog: nil, hasTwo: true)
        for _ in 0..<8 {
            let client = try lab.connect()
            try client.send("hello")
            try Joined(client: client, server: try lab.second.accept()).expect("hello")
        }
        try lab.waitForNothing()
    }

    @Test("retry.for holds a client, unread, until a server is available", arguments: Sides.all)
    func holdsClients(sides: Sides) throws {
        let lab = try ProxyLab(sides, upstream: #", "retry": {"for": "1min"}"#, backlog: nil)
        let clients = try (0..<10).map { _ in Held(try lab.connect()) }
        for (index, held) in clients.enumerated() {
            try held.client.send(Noise.slice(50_000 + index, at: index))
            if index % 2 == 0 { try held.client.finishSending() }
        }
        try eventually("the sessions") { try lab.daemon.sessions().count == 10 }
        #expect(try lab.daemon.status().totals.bytesIn == 0)
        try lab.server.listen()
        for _ in clients {
            let server = try lab.server.accept()
            let first = try server.receive(exactly: 50_000)
            let start = try #require((0..<10).first { Noise.isSlice(first, at: $0) })
            let rest = try server.receive(exactly: start)
            #expect(Noise.isSlice(first + rest, at: start) && rest.count == start)
            if start % 2 == 0 { #expect(try server.receive() == []) }
            try server.send("served")
            #expect(try clients[start].client.receive(exactly: 6) == Array("served".utf8))
        }
        withExtendedLifetime(clients) {}
    }

    @Test("held clients use no resources that others need")
    func holdsIdly() throws {
        let nobody = try Server(backlog: nil)
        let daemon = try TestDaemon(
            serving("echo"),
            """
            "proxy": {"listen": ["unix:DIR/listener"],
            "handler": {"type": "proxy", "upstream": "app"}}
            """,
            more: """
                "upstreams": {"app": {"servers": ["127.0.0.1:\(nobody.port)"],
                "retry": {"for": "10min"}}},
                """,
            workers: 1
        )
        let address = try daemon.address(of: "proxy")
        let clients = try (0..<1100).map { _ in
            let client = Held(try Client(address: address))
            try client.client.send("anybody?")
            return client
        }
        try eventually("all to be held") { try daemon.status().totals.active == clients.count }
        let echo = try daemon.connect()
        for _ in 0..<3 {
            try echo.send("hello")
            #expect(try echo.receive(exactly: 5) == Array("hello".utf8))
        }
        withExtendedLifetime(clients) {}
    }

    @Test("a client held in vain is reset, and not before its time")
    func givesUp() throws {
        let lab = try ProxyLab(upstream: #", "retry": {"for": "300ms"}"#, backlog: nil)
        let beginning = ContinuousClock.now
        let client = try lab.connect()
        expectRefusal(client, saying: "anybody?", over: .tcp)
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
        try lab.waitForNothing()
    }

    @Test("a session ends if its held client breaks the connection", arguments: [true, false])
    func letsHeldGo(speaks: Bool) throws {
        let lab = try ProxyLab(upstream: #", "retry": {"for": "10min"}"#, backlog: nil)
        let client = try lab.connect()
        if speaks { try client.send("anybody?") }
        try eventually("the session") { try lab.daemon.sessions().count == 1 }
        try client.reset()
        try lab.daemon.waitForNoSession()
    }

    /// A listening socket with a full backlog does not answer a connect.
    @Test("if one server does not answer, the next is tried in time", arguments: Sides.all)
    func triesNextInTime(sides: Sides) throws {
        // The first server uses half of the time; the rest is a margin for a slow machine.
        let lab = try ProxyLab(
            sides,
            upstream: #", "connectTimeout": "8s""#,
            backlog: 0,
            hasTwo: true
        )
        let filler = try lab.connectToServer()
        defer { withExtendedLifetime(filler) {} }
        let clients = try (0..<4).map { _ in Held(try lab.connect()) }
        for held in clients {
            try held.client.send(Noise.slice(50_000, at: 0))
            try held.client.finishSending()
        }
        for _ in clients {
            let server = try lab.second.accept()
            let bytes = try server.receiveToEnd()
            #expect(bytes.count == 50_000 && Noise.isSlice(bytes, at: 0))
            try server.send("served")
        }
        for held in clients { #expect(try held.client.receiveToEnd() == Array("served".utf8)) }
        try lab.waitForNothing()
    }

    @Test("a client is reset if no server answers in time", arguments: Sides.all)
    func timesOut(sides: Sides) throws {
        let lab = try ProxyLab(sides, upstream: #", "connectTimeout": "500ms""#, backlog: 0)
        let filler = try lab.connectToServer()
        defer { withExtendedLifetime(filler) {} }
        let beginning = ContinuousClock.now
        let client = try lab.connect()
        expectRefusal(client, saying: "anybody?", over: sides.client)
        #expect(ContinuousClock.now - beginning >= .milliseconds(500))
        try lab.waitForNothing()
    }

    @Test("beyond the upstream's maxSessions, clients wait their turn", arguments: Sides.all)
    func queues(sides: Sides) throws {
        let lab = try ProxyLab(
            sides,
            upstream: #", "maxSessions": 2, "connectTimeout": "1min""#
        )
        var first = try (0..<2).map { _ in try lab.join().share() }
        var waiting: [Held?] = try (0..<20).map { index in
            let client = Held(try lab.connect())
            try client.client.send([UInt8(index)])
            return client
        }
        try eventually("all sessions") { try lab.daemon.sessions().count == 22 }
        #expect(throws: Errno.timedOut) { _ = try lab.server.accept(timeout: .zero) }
        #expect(try lab.daemon.status().totals.bytesIn == 0)
        withExtendedLifetime(first) {}
        first.removeAll()
        for served in 1...20 {
            let server = try lab.server.accept()
            let index = Int(try server.receive(exactly: 1)[0])
            // At most two clients have been admitted, and the earlier ones have finished.
            #expect(try lab.daemon.status().totals.bytesIn <= served + 1)
            #expect(waiting[index] != nil)
            waiting[index] = nil
        }
        try lab.waitForNothing()
    }

    @Test("a client whose turn does not come is reset, and not before its time")
    func givesUpQueued() throws {
        let lab = try ProxyLab(upstream: #", "maxSessions": 1, "connectTimeout": "300ms""#)
        let joined = try lab.join()
        let beginning = ContinuousClock.now
        let client = try lab.connect()
        expectRefusal(client, saying: "me, too", over: .tcp)
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
        try joined.greet()
    }

    @Test("a session ends if its client breaks the connection while waiting its turn")
    func letsQueuedGo() throws {
        let lab = try ProxyLab(upstream: #", "maxSessions": 1, "connectTimeout": "10min""#)
        let joined = try lab.join()
        let client = try lab.connect()
        try client.send("me, too")
        try eventually("both sessions") { try lab.daemon.sessions().count == 2 }
        try client.reset()
        try lab.daemon.waitForTotals("the end of the session") { $0.active == 1 }
        try joined.greet()
    }
}

extension Joined {
    /// Expects the client's bytes to arrive, and the answer as well.
    fileprivate func expect(_ text: String) throws {
        #expect(try server.receive(exactly: text.utf8.count) == Array(text.utf8))
        try server.send("served")
        #expect(try client.receive(exactly: 6) == Array("served".utf8))
    }
}
