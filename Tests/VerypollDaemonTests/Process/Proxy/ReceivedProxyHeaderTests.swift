internal import DaemonTestSupport
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Long PROXY headers, in a running daemon")
struct ReceivedProxyHeaderTests {
    private static let reading = #", "proxyProtocol": {"from": ["127.0.0.1"], "timeout": "1min"}"#

    @Test(
        "a header of any valid length is accepted, however its bytes arrive",
        arguments: [4096, 4097, 65_536, 65_551],
        [1, 200, 70_000]
    )
    func accepts(byteCount: Int, head: Int) throws {
        let daemon = try TestDaemon(serving("echo", Self.reading))
        let client = try daemon.connect()
        let bytes = longHeader(byteCount) + Array("hello".utf8)
        try client.send(bytes[..<min(head, bytes.count)])
        // The answer shows that the worker has processed its events since.
        #expect(try daemon.sessions().count == 1)
        try client.send(bytes[min(head, bytes.count)...])
        #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        #expect(try daemon.sessions().map(\.peer) == ["1.2.3.4:9"])
    }

    @Test("a long malformed header is rejected")
    func refuses() throws {
        let daemon = try TestDaemon(serving("echo", Self.reading))
        let client = try daemon.connect()
        var bytes = longHeader(65_551)
        bytes[40_000] ^= 1
        try client.send(bytes)
        #expect(client.receiveAll().error == .connectionReset)
        try daemon.waitForNoSession()
    }

    @Test(
        "a header that arrives byte by byte has no more time than any other",
        arguments: [false, true]
    )
    func limitsTime(isBinary: Bool) throws {
        let keys = #", "proxyProtocol": {"from": ["127.0.0.1"], "timeout": "1s"}"#
        let daemon = try TestDaemon(serving("echo", keys))
        let client = try daemon.connect()
        let line = Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 65, count: 93)
        let bytes = isBinary ? longHeader(65_551) : line
        var sent = 0
        try eventually("the end of the session") {
            do throws(Errno) {
                if sent < bytes.count { try client.send(CollectionOfOne(bytes[sent])) }
                sent += 1
                pause(milliseconds: 50)
                return try client.receiveNow() != nil
            } catch {
                return error == .connectionReset || error == .brokenPipe
            }
        }
        try daemon.waitForNoSession()
    }

    @Test("a metrics request that arrives byte by byte has no more time than any other")
    func limitsRequestHead() throws {
        let daemon = try TestDaemon(serving("metrics", #", "timeouts": {"firstByte": "1s"}"#))
        let client = try daemon.connect(to: "metrics")
        // After a first answered request, the time starts over.
        try client.send(HTTPPeer.get)
        #expect(try client.receive(exactly: 12) == Array("HTTP/1.1 200".utf8))
        let start = Array("GET /metrics HTTP/1.1\r\nX: ".utf8)
        let text = start + [UInt8](repeating: 97, count: 5000)
        var sent = 0
        try eventually("the end of the session") {
            do throws(Errno) {
                if sent < text.count { try client.send(CollectionOfOne(text[sent])) }
                sent += 1
                pause(milliseconds: 20)
                return try client.receiveNow() == []
            } catch {
                return error == .connectionReset || error == .brokenPipe
            }
        }
        try daemon.waitForNoSession()
    }
}
