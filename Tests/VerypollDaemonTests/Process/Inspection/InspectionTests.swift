internal import DaemonTestSupport
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Routing by server name")
struct InspectionTests {
    @Test(
        "a real ClientHello reaches its server unchanged, however it is framed and split",
        arguments: [
            "openssl", "openssl-tls12", "curl", "python", "gnutls", "wget", "go", "chrome",
            "firefox",
        ]
    )
    func forwards(name: String) throws {
        let lab = try InspectionLab()
        let bytes = try capturedHello(name)
        let message = Array(bytes[5...])
        for framed in [
            bytes, records(of: message, [1]), records(of: message, [(message.count + 63) / 64]),
            bytes + [20, 3, 3, 0, 1, 1] + Array("more".utf8),
        ] {
            let client = try lab.connect()
            try client.send(framed)
            let server = try lab.shop.accept()
            #expect(try server.receive(exactly: framed.count) == framed)
            try server.send("answer")
            #expect(try client.receive(exactly: 6) == Array("answer".utf8))
        }
        for split in stride(from: 1, to: bytes.count, by: max(1, bytes.count / 40)) {
            let client = try lab.connect()
            try client.send(bytes[..<split])
            // The answer shows that the worker has processed its events since.
            #expect(try lab.daemon.sessions().contains { $0.serverName == nil })
            try client.send(bytes[split...])
            let server = try lab.shop.accept()
            #expect(try server.receive(exactly: bytes.count) == bytes)
        }
        #expect(try lab.count(of: "no_match") == 0)
    }

    @Test(
        "a ClientHello of any length arrives unchanged, in any number of segments",
        arguments: [4_000, 4_096, 4_200, 16_388],
        [1, 700, 5_000]
    )
    func forwardsLong(byteCount: Int, segment: Int) throws {
        let lab = try InspectionLab()
        var hello = ClientHelloBytes("a.shop.example.com")
        let rest = byteCount - hello.message.count - 4
        hello.last = helloExtension(21, Array(repeating: 0, count: rest))
        let bytes = records(of: hello.message, [5_000]) + Array("more".utf8)
        let client = try lab.connect()
        var start = min(segment, bytes.count)
        try client.send(bytes[..<start])
        #expect(try lab.daemon.sessions().count == 1)
        while start < bytes.count {
            let end = min(bytes.count, start + max(segment, 300))
            try client.send(bytes[start..<end])
            start = end
        }
        let server = try lab.wild.accept()
        #expect(try server.receive(exactly: bytes.count) == bytes)
        try client.finishSending()
        #expect(try server.receiveToEnd() == [])
    }

    @Test("a session shows the client's name, its protocols and its route")
    func shows() throws {
        let lab = try InspectionLab(more: #""log": {"sessions": true},"#)
        let client = try lab.connect()
        try client.send(
            ClientHelloBytes("A.shop.example.com.", protocols: ["h2", "\u{1B}"]).record
        )
        let server = try lab.wild.accept()
        let session = try #require(try lab.daemon.sessions().first)
        #expect(session.serverName == "a.shop.example.com")
        #expect(session.alpn == ["h2", "\\x1B"])
        #expect(session.route == "wild")
        #expect(session.upstream == "wild")
        let labels = #"{listener="front",route="wild"}"#
        #expect(try lab.metric("verypolld_route_sessions_total\(labels)") == 1)
        #expect(try lab.metric("verypolld_route_active_sessions\(labels)") == 1)
        #expect(try lab.count(of: "matched") == 1)
        try client.reset()
        _ = server.receiveAll()
        let line = try lab.daemon.program.waitForStandardError(containing: "session ended")
        #expect(line.contains("serverName=a.shop.example.com"))
        #expect(line.contains("route=wild"))
        #expect(line.contains("alpn=h2,"))
        try lab.daemon.waitForNoSession()
        #expect(try lab.metric("verypolld_route_active_sessions\(labels)") == 0)
    }

    private static let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 112]

    @Test(
        "a client that no route matches gets the alert unrecognized_name and an orderly close",
        arguments: [("other.example", "no_match"), (nil, "no_name"), ("192.0.2.1", "no_name")]
            as [(String?, String)]
    )
    func refuses(name: String?, outcome: String) throws {
        let lab = try InspectionLab(more: #""log": {"sessions": true},"#)
        let client = try lab.connect()
        try client.send(ClientHelloBytes(name).record + [UInt8](repeating: 1, count: 50_000))
        #expect(try client.receiveToEnd() == Self.alert)
        try lab.waitForOutcome(outcome)
        // The session waits for the client's end, because a close with unread bytes is a reset.
        #expect(try lab.daemon.sessions().count == 1)
        try client.send("late")
        try client.finishSending()
        try lab.daemon.waitForNoSession()
        let line = try lab.daemon.program.waitForStandardError(containing: "session ended")
        #expect(line.contains("no route matches the client"))
        if let name, outcome == "no_match" { #expect(line.contains("serverName=\(name)")) }
    }

    @Test("a refused client that does not close is closed in time, with the same reason")
    func closesRefused() throws {
        let lab = try InspectionLab(
            keys: #", "timeouts": {"inspect": "1s", "halfClosed": "1ms"}"#,
            more: #""log": {"sessions": true},"#
        )
        let client = try lab.connect()
        try client.send(ClientHelloBytes("other.example").record)
        #expect(try client.receiveToEnd() == Self.alert)
        let line = try lab.daemon.program.waitForStandardError(containing: "session ended")
        #expect(line.contains("session ended: no route matches the client"))
        try lab.daemon.waitForNoSession()
        #expect(try lab.count(of: "timed_out") == 0)
    }

    @Test("with an upstream for others, a client that no route matches reaches it")
    func fallsBack() throws {
        let lab = try InspectionLab(others: #""upstream": "fallback","#)
        for name in ["other.example", nil] {
            let bytes = ClientHelloBytes(name).record
            let client = try lab.connect()
            try client.send(bytes)
            #expect(try lab.fallback.accept().receive(exactly: bytes.count) == bytes)
        }
        try lab.waitForOutcome("no_match")
        try lab.waitForOutcome("no_name")
    }

    @Test("a client that does not begin with TLS reaches the upstream notTLS, if there is one")
    func routesPlain() throws {
        let lab = try InspectionLab(others: #""notTLS": "plain","#)
        let client = try lab.connect()
        try client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(try lab.plain.accept().receive(exactly: 18) == Array("GET / HTTP/1.1\r\n\r\n".utf8))
        try lab.waitForOutcome("not_tls")

        let closed = try InspectionLab()
        let other = try closed.connect()
        try other.send("GET / HTTP/1.1\r\n\r\n")
        #expect(try other.receiveToEnd() == [])
        try closed.waitForOutcome("not_tls")
        try other.finishSending()
        try closed.daemon.waitForNoSession()
        #expect(try closed.count(of: "not_tls") == 1)
    }

    /// A beginning that is TLS, but not an acceptable ClientHello.
    enum Defect: String, CaseIterable, Sendable {
        case emptyRecord
        case otherMessage
        case longMessage
        case shortRecords

        var bytes: [UInt8] {
            switch self {
            case .emptyRecord: return [22, 3, 1, 0, 0]
            case .otherMessage: return [22, 3, 1, 0, 4, 2, 0, 0, 0]
            case .longMessage: return padded(17_000, [1 << 14])
            case .shortRecords: return padded(9_000, [1])
            }
        }

        var outcome: String {
            switch self {
            case .emptyRecord, .otherMessage: "malformed"
            case .longMessage, .shortRecords: "too_large"
            }
        }

        private func padded(_ count: Int, _ lengths: [Int]) -> [UInt8] {
            var hello = ClientHelloBytes("shop.example.com")
            hello.last = helloExtension(21, Array(repeating: 0, count: count))
            return records(of: hello.message, lengths)
        }
    }

    @Test(
        "a malformed or too long ClientHello ends the session with a reset",
        arguments: Defect.allCases
    )
    func resets(defect: Defect) throws {
        let lab = try InspectionLab(others: #""upstream": "fallback", "notTLS": "plain","#)
        let client = try lab.connect()
        try? client.send(defect.bytes)
        #expect(client.receiveAll().error == .connectionReset)
        try lab.waitForOutcome(defect.outcome)
        try lab.daemon.waitForNoSession()
    }

    @Test("a client that ends in the middle of its ClientHello is counted as malformed")
    func endsEarly() throws {
        let lab = try InspectionLab()
        for count in [7, 4_500] {
            var hello = ClientHelloBytes("shop.example.com")
            hello.last = helloExtension(21, Array(repeating: 0, count: 5_000))
            let client = try lab.connect()
            try client.send(hello.record[..<count])
            try client.finishSending()
            _ = client.receiveAll()
        }
        try eventually("both to be counted") { try lab.count(of: "malformed") == 2 }
        // A load balancer's check that the port is open is no inspection.
        let check = try lab.connect()
        try check.finishSending()
        #expect(try check.receiveToEnd() == [])
        #expect(try lab.count(of: "malformed") == 2)
    }

    @Test(
        "a ClientHello that arrives byte by byte has no more time than none at all",
        arguments: [0, 200, 5_000]
    )
    func limitsTime(head: Int) throws {
        let lab = try InspectionLab(keys: #", "timeouts": {"inspect": "1s"}"#)
        var hello = ClientHelloBytes("shop.example.com")
        hello.last = helloExtension(21, Array(repeating: 0, count: 6_000))
        let bytes = hello.record
        let client = try lab.connect()
        try client.send(bytes[..<head])
        var sent = head
        try eventually("the end of the session") {
            do throws(Errno) {
                if head > 0 { try client.send(CollectionOfOne(bytes[sent])) }
                sent += 1
                pause(milliseconds: 20)
                return try client.receiveNow() == []
            } catch {
                return error == .connectionReset || error == .brokenPipe
            }
        }
        try lab.waitForOutcome("timed_out")
        try lab.daemon.waitForNoSession()
    }

    @Test("a server gets the name and the first protocol in its PROXY header")
    func sendsHeader() throws {
        let lab = try InspectionLab(upstream: #", "proxyProtocol": "v2""#)
        let bytes = ClientHelloBytes("shop.example.com", protocols: ["h2", "http/1.1"]).record
        let client = try lab.connect()
        try client.send(bytes)
        let server = try lab.shop.accept()
        _ = try server.receive(exactly: 28)
        let extensions =
            headerExtension(1, Array("h2".utf8))
            + headerExtension(2, Array("shop.example.com".utf8))
        let rest = extensions + bytes
        #expect(try server.receive(exactly: rest.count) == rest)
        _ = client
    }

    @Test("the client's PROXY header is read before its ClientHello")
    func readsHeader() throws {
        let lab = try InspectionLab(keys: #", "proxyProtocol": {"from": ["127.0.0.1"]}"#)
        let bytes = ClientHelloBytes("shop.example.com").record
        let client = try lab.connect()
        try client.send("PROXY TCP4 192.0.2.9 192.0.2.1 4711 443\r\n")
        #expect(try lab.daemon.sessions().count == 1)
        try client.send(bytes)
        #expect(try lab.shop.accept().receive(exactly: bytes.count) == bytes)
        let session = try #require(try lab.daemon.sessions().first)
        #expect(session.peer == "192.0.2.9:4711")
        #expect(session.serverName == "shop.example.com")
    }
}
