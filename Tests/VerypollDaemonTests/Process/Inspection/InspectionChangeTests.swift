internal import DaemonTestSupport
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Routing by server name, across reloads and restarts")
struct InspectionChangeTests {
    private func hello(_ length: Int) -> [UInt8] {
        var hello = ClientHelloBytes("shop.example.com", protocols: ["h2"])
        if length > hello.message.count {
            let rest = length - hello.message.count - 4
            hello.last = helloExtension(21, Array(repeating: 0, count: rest))
        }
        return hello.record
    }

    @Test(
        "a session that waits for the rest of a ClientHello continues in the next process",
        arguments: [200, 9_000]
    )
    func continuesInspecting(length: Int) throws {
        let manager = try ServiceManager()
        var lab = try InspectionLab(more: #""restart": {"keepSessions": true},"#, manager: manager)
        let bytes = hello(length)
        let client = try lab.connect()
        let half = bytes.count * 2 / 3
        try client.send(bytes[..<half])
        // Otherwise the bytes might still be on their way to the first process.
        try eventually("the session") { try lab.daemon.sessions().count == 1 }
        try lab.daemon.restart()
        #expect(try lab.daemon.sessions().count == 1)
        try client.send(bytes[half...])
        let server = try lab.shop.accept()
        #expect(try server.receive(exactly: bytes.count) == bytes)
        try server.send("answer")
        #expect(try client.receive(exactly: 6) == Array("answer".utf8))
        try manager.end()
    }

    @Test("a routed session keeps its name and its route in the next process")
    func keepsRoute() throws {
        let manager = try ServiceManager()
        var lab = try InspectionLab(more: #""restart": {"keepSessions": true},"#, manager: manager)
        let bytes = hello(200)
        let client = try lab.connect()
        try client.send(bytes)
        let server = try lab.shop.accept()
        #expect(try server.receive(exactly: bytes.count) == bytes)
        try lab.daemon.restart()
        let session = try #require(try lab.daemon.sessions().first)
        #expect(session.serverName == "shop.example.com")
        #expect(session.alpn == ["h2"])
        #expect(session.route == "shop")
        let labels = #"{listener="front",route="shop"}"#
        #expect(try lab.metric("verypolld_route_active_sessions\(labels)") == 1)
        try client.send("more")
        #expect(try server.receive(exactly: 4) == Array("more".utf8))
        try manager.end()
    }

    @Test("a reload changes the routes of new sessions and leaves the others alone")
    func reloads() throws {
        let lab = try InspectionLab()
        let bytes = hello(200)
        let client = try lab.connect()
        try client.send(bytes)
        let server = try lab.shop.accept()
        #expect(try server.receive(exactly: bytes.count) == bytes)
        let address = try lab.daemon.address(of: "front")
        try lab.daemon.rewrite(
            InspectionLab.listener("tls")
                .replacing(#""upstream": "shop""#, with: #""upstream": "fallback""#)
                .replacing("127.0.0.1:0", with: "127.0.0.1:0"),
            more: #""upstreams": {"wild": {"servers": ["127.0.0.1:\#(lab.wild.port)"]},"#
                + #""fallback": {"servers": ["127.0.0.1:\#(lab.fallback.port)"]}},"#
        )
        let changes = try lab.daemon.reload()
        #expect(changes.contains("/listeners/front/handler/routes/shop/upstream"))
        #expect(try lab.daemon.address(of: "front") == address)
        let other = try lab.connect()
        try other.send(bytes)
        #expect(try lab.fallback.accept().receive(exactly: bytes.count) == bytes)
        try client.send("still")
        #expect(try server.receive(exactly: 5) == Array("still".utf8))
        #expect(Set(try lab.daemon.sessions().map(\.route)) == ["shop"])
        // The counts of a route go on.
        let labels = #"{listener="front",route="shop"}"#
        #expect(try lab.metric("verypolld_route_sessions_total\(labels)") == 2)
    }

    @Test("a ClientHello that was read is kept while no server can be reached")
    func keepsBytes() throws {
        let lab = try InspectionLab(upstream: #", "retry": {"for": "1min"}"#)
        let port = try reservedPort()
        try lab.daemon.rewrite(
            InspectionLab.listener("tls"),
            more: #"""
                "upstreams": {"wild": {"servers": ["127.0.0.1:1"]},
                "shop": {"servers": ["127.0.0.1:\#(port)", "127.0.0.1:\#(lab.shop.port)"],
                "balance": "roundRobin"}},
                """#
        )
        try lab.daemon.reload()
        // Every other session tries the server that refuses first.
        for _ in 0..<4 {
            let bytes = hello(9_000)
            let client = try lab.connect()
            try client.send(bytes)
            #expect(try lab.shop.accept().receive(exactly: bytes.count) == bytes)
            _ = client
        }
    }

    @Test("a stop or a kill ends sessions that are still inspected")
    func kills() throws {
        let lab = try InspectionLab()
        let client = try lab.connect()
        try client.send([22, 3, 1])
        let session = try eventually("the session") { try lab.daemon.sessions().first }
        try lab.daemon.order("KillSession", #"{"id": \#(session.id)}"#)
        _ = client.receiveAll()
        try lab.daemon.waitForNoSession()
    }
}
