import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("LongProxyHeader")
struct LongProxyHeaderTests {
    private static let addresses: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 10]

    /// A header with its checksum between two other extensions, so many bytes long.
    private static func header(_ byteCount: Int) -> [UInt8] {
        let first = [UInt8](repeating: 7, count: 1000)
        let last = [UInt8](repeating: 9, count: byteCount - 28 - 1003 - 7 - 3)
        let extensions =
            headerExtension(0xE0, first) + headerExtension(3, [0, 0, 0, 0])
            + headerExtension(4, last)
        return checksummed(binaryHeader(0x11, addresses + extensions), at: 28 + 1003 + 3)
    }

    /// Reads a header in pieces; `nil` if it is not one that is read so.
    private func read(
        _ bytes: [UInt8],
        using generator: inout Generator
    ) -> ProxyHeader.Parse? {
        guard var long = ProxyHeader.long(bytes.span.extracting(..<300)) else { return nil }
        var position = 0
        while long.remaining > 0 {
            let count = Int.random(in: 1...min(long.remaining, 2000), using: &generator)
            let piece = bytes.span.extracting(position..<position + count)
            if let reason = long.read(piece) { return .malformed(reason) }
            position += count
        }
        return .complete(long.header, byteCount: position)
    }

    @Test("a header that is read piece by piece is found to be what it is as a whole")
    func agrees() {
        var generator = Generator(state: 29)
        var wrong = Self.header(5000)
        wrong[2000] ^= 1
        let most = Self.header(65_551)
        let twice = binaryHeader(
            0x11,
            Self.addresses + headerExtension(3, [0, 0, 0, 0])
                + headerExtension(4, Array(repeating: 1, count: 5000))
                + headerExtension(3, [0, 0, 0, 0])
        )
        let headers = [
            Self.header(5000), Self.header(4097), most, wrong, twice,
            binaryHeader(0x11, Self.addresses + [4, 0xFF, 0xFF] + most[..<6000]),
            binaryHeader(0x11, Self.addresses + headerExtension(4, Array(most[..<5000])) + [1, 0]),
            binaryHeader(0x00, Array(repeating: 1, count: 65_535)),
            binaryHeader(0x31, Array(most[..<6000]), command: 0x20),
        ]
        for header in headers {
            let whole = ProxyHeader.parse(header.span)
            for _ in 0..<5 { #expect(read(header, using: &generator) == whole) }
        }
        let short = Self.header(4096)
        #expect(read(short, using: &generator) == nil)
    }

    private static let reading = #", "proxyProtocol": {"from": ["127.0.0.1"], "timeout": "1min"}"#

    @Test(
        "a header of up to the longest length is accepted, however its bytes arrive",
        arguments: [4096, 4097, 65_536, 65_551],
        [1, 200, 70_000]
    )
    func accepts(byteCount: Int, head: Int) throws {
        let daemon = try TestDaemon(serving("echo", Self.reading))
        let client = try daemon.connect()
        let bytes = Self.header(byteCount) + Array("hello".utf8)
        try client.send(bytes[..<min(head, bytes.count)])
        // The answer shows that the worker has looked at its events since.
        #expect(try daemon.sessions().count == 1)
        try client.send(bytes[min(head, bytes.count)...])
        #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        #expect(try daemon.sessions().map(\.peer) == ["1.2.3.4:9"])
    }

    @Test("a long header that is malformed is refused")
    func refuses() throws {
        let daemon = try TestDaemon(serving("echo", Self.reading))
        let client = try daemon.connect()
        var bytes = Self.header(65_551)
        bytes[40_000] ^= 1
        try client.send(bytes)
        #expect(client.receiveAll().error == .connectionReset)
        try daemon.waitForNoSession()
    }

    @Test(
        "a header that comes byte by byte has no more time than another",
        arguments: [false, true]
    )
    func limitsTime(isBinary: Bool) throws {
        let keys = #", "proxyProtocol": {"from": ["127.0.0.1"], "timeout": "1s"}"#
        let daemon = try TestDaemon(serving("echo", keys))
        let client = try daemon.connect()
        let line = Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 65, count: 93)
        let bytes = isBinary ? Self.header(65_551) : line
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

    @Test("the head of a request for metrics that comes byte by byte has no more time than another")
    func limitsRequestHead() throws {
        let daemon = try TestDaemon(serving("metrics", #", "timeouts": {"firstByte": "1s"}"#))
        let client = try daemon.connect(to: "metrics")
        // One that was answered before has the time anew.
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
