internal import DaemonTestSupport
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Routing of PostgreSQL clients")
struct PostgreSQLTests {
    private static let request: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]
    private static let requestForGSS: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 48]
    private static let hello = ClientHelloBytes("shop.example.com").record

    /// Asks for TLS, and sends the ClientHello.
    private func open(_ client: borrowing Client) throws {
        try client.send(Self.request)
        #expect(try client.receive(exactly: 1) == Array("S".utf8))
        try client.send(Self.hello)
    }

    @Test("the server is asked for TLS before it gets the ClientHello", arguments: [false, true])
    func opens(hasHeader: Bool) throws {
        let lab = try InspectionLab(
            "postgresql",
            upstream: hasHeader ? #", "proxyProtocol": "v1""# : ""
        )
        let client = try lab.connect()
        try open(client)
        let server = try lab.shop.accept()
        if hasHeader { #expect(try server.receiveLine()?.hasPrefix("PROXY TCP4 ") == true) }
        #expect(try server.receive(exactly: 8) == Self.request)
        try server.send("S")
        #expect(try server.receive(exactly: Self.hello.count) == Self.hello)
        try server.send("answer")
        #expect(try client.receive(exactly: 6) == Array("answer".utf8))
        let session = try #require(try lab.daemon.sessions().first)
        #expect(session.route == "shop")
    }

    @Test("a request for GSSAPI is refused, and the request for TLS after it is granted")
    func refusesGSS() throws {
        let lab = try InspectionLab("postgresql")
        let client = try lab.connect()
        try client.send(Self.requestForGSS)
        #expect(try client.receive(exactly: 1) == Array("N".utf8))
        try open(client)
        let server = try lab.shop.accept()
        #expect(try server.receive(exactly: 8) == Self.request)
    }

    @Test("a request is understood in any segments, and together with the ClientHello")
    func reads() throws {
        let lab = try InspectionLab("postgresql")
        for split in [1, 7, 8, 9, 20] {
            let bytes = Self.request + Self.hello
            let client = try lab.connect()
            try client.send(bytes[..<split])
            #expect(try lab.daemon.sessions().count >= 1)
            try client.send(bytes[split...])
            #expect(try client.receive(exactly: 1) == Array("S".utf8))
            let server = try lab.shop.accept()
            #expect(try server.receive(exactly: 8) == Self.request)
            try server.send("S")
            #expect(try server.receive(exactly: Self.hello.count) == Self.hello)
        }
    }

    @Test("a client that begins with TLS is routed without a request")
    func readsDirect() throws {
        let lab = try InspectionLab("postgresql")
        let bytes = ClientHelloBytes("shop.example.com", protocols: ["postgresql"]).record
        let client = try lab.connect()
        try client.send(bytes)
        #expect(try lab.shop.accept().receive(exactly: bytes.count) == bytes)
        _ = client
    }

    @Test("startup messages and CancelRequests without encryption go to the upstream notTLS")
    func routesPlain() throws {
        let lab = try InspectionLab("postgresql", others: #""notTLS": "plain","#)
        let startup: [UInt8] = [0, 0, 0, 17, 0, 3, 0, 0] + Array("user\0me\0\0".utf8)
        let cancel: [UInt8] = [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2]
        for bytes in [startup, cancel] {
            let client = try lab.connect()
            try client.send(bytes)
            #expect(try lab.plain.accept().receive(exactly: bytes.count) == bytes)
        }
        // After the grant, only TLS may follow.
        let client = try lab.connect()
        try client.send(Self.request)
        #expect(try client.receive(exactly: 1) == Array("S".utf8))
        try client.send(startup)
        #expect(client.receiveAll().error == .connectionReset)
        #expect(try lab.count(of: "not_tls") == 3)
    }

    @Test(
        "a server that does not grant TLS ends the session with a reason of its own",
        arguments: [
            ("N", "the server refused TLS"),
            ("E", "the server's answer to the request for TLS is invalid"),
        ]
    )
    func endsWithoutTLS(answer: String, reason: String) throws {
        let lab = try InspectionLab("postgresql", more: #""log": {"sessions": true},"#)
        let client = try lab.connect()
        try open(client)
        let server = try lab.shop.accept()
        #expect(try server.receive(exactly: 8) == Self.request)
        try server.send(answer)
        #expect(client.receiveAll().error == .connectionReset)
        try lab.daemon.program.waitForStandardError(containing: "session ended: \(reason)")
    }

    @Test("a server that does not answer the request counts as not reachable")
    func triesNext() throws {
        let lab = try InspectionLab(
            "postgresql",
            upstream: #", "connectTimeout": "200ms", "retry": {"for": "1min"}"#
        )
        let client = try lab.connect()
        try open(client)
        let first = try lab.shop.accept()
        #expect(try first.receive(exactly: 8) == Self.request)
        let second = try lab.shop.accept()
        #expect(try second.receive(exactly: 8) == Self.request)
        try second.send("S")
        #expect(try second.receive(exactly: Self.hello.count) == Self.hello)
        #expect(first.receiveAll().error == nil)
        _ = client
    }

    @Test("a restart continues a session at each step of its opening", arguments: 0...2)
    func restarts(step: Int) throws {
        let manager = try ServiceManager()
        var lab = try InspectionLab(
            "postgresql",
            upstream: #", "connectTimeout": "1min""#,
            more: #""restart": {"keepSessions": true},"#,
            manager: manager
        )
        let client = try lab.connect()
        let head = step == 0 ? Array(Self.request[..<5]) : Self.request
        try client.send(head)
        if step > 0 { #expect(try client.receive(exactly: 1) == Array("S".utf8)) }
        var former: Server.Connection?
        if step == 2 {
            try client.send(Self.hello)
            let connection = Held(try lab.shop.accept())
            #expect(try connection.client.receive(exactly: 8) == Self.request)
            former = connection
        }
        try eventually("the session") { try lab.daemon.sessions().count == 1 }
        try lab.daemon.restart()
        if step == 0 {
            try client.send(Self.request[5...])
            #expect(try client.receive(exactly: 1) == Array("S".utf8))
        }
        if step < 2 { try client.send(Self.hello) }
        let server: Held
        if let former {
            server = former
        } else {
            server = Held(try lab.shop.accept())
            #expect(try server.client.receive(exactly: 8) == Self.request)
        }
        try server.client.send("S")
        #expect(try server.client.receive(exactly: Self.hello.count) == Self.hello)
        try manager.end()
    }
}

extension Server {
    /// A connection that a test keeps across steps.
    fileprivate typealias Connection = Held
}
