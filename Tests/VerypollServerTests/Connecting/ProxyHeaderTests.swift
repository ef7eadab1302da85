import DaemonTestSupport
import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("ProxyHeader")
struct ProxyHeaderTests {
    @Test(
        "a line names its addresses and ports",
        arguments: [
            (
                "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324",
                "192.168.0.11:443"
            ),
            (
                "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
                "255.255.255.255:65535",
                "255.255.255.255:65535"
            ),
            ("PROXY TCP6 ::1 2001:db8:0:0:1::7 0 1\r\n", "[::1]:0", "[2001:db8:0:0:1:0:0:7]:1"),
            (
                "PROXY TCP6 ffff:FFFF:ffff:ffff:ffff:ffff:ffff:ffff ::ffff:1.2.3.4 65535 9\r\n",
                "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[::ffff:1.2.3.4]:9"
            ),
        ]
    )
    func readsLines(line: String, source: String, destination: String) throws {
        let header = try tcpHeader(source, destination)
        try expect(Array(line.utf8), toBe: header)
    }

    @Test("what follows UNKNOWN does not matter, up to the longest line")
    func readsUnknown() throws {
        let longest = "PROXY UNKNOWN " + String(repeating: "\u{7F}", count: 91) + "\r\n"
        #expect(longest.utf8.count == ProxyHeader.longestLine)
        for line in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN a  b\0\r\n", longest] {
            try expect(Array(line.utf8), toBe: ProxyHeader(.local))
        }
    }

    @Test("version two names its addresses and ports")
    func readsBinary() throws {
        try expect(
            binaryHeader(0x11, [172, 19, 0, 1, 172, 19, 0, 3, 0xA6, 0x52, 0x00, 0x50]),
            toBe: tcpHeader("172.19.0.1:42578", "172.19.0.3:80")
        )
        let v6 = (0..<32).map(UInt8.init) + [0x01, 0xBB, 0xFF, 0xFF]
        try expect(
            binaryHeader(0x21, v6),
            toBe: tcpHeader(
                "[1:203:405:607:809:a0b:c0d:e0f]:443",
                "[1011:1213:1415:1617:1819:1a1b:1c1d:1e1f]:65535"
            )
        )
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 10, 0, 0, 1]
        try expect(
            binaryHeader(0x21, mapped + mapped + [0, 1, 0, 2]),
            toBe: tcpHeader("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:2")
        )
    }

    @Test("version two names Unix-domain sockets by path, abstract name or not at all")
    func readsUnix() throws {
        func field(_ bytes: [UInt8]) -> [UInt8] {
            bytes + Array(repeating: 0, count: 108 - bytes.count)
        }
        let path = field(Array("/run/a".utf8) + [0, 0x78])
        let addresses: [([UInt8], UnixAddress)] = [
            (path, .path("/run/a")), (field([0, 0x61, 0, 0x62]), .abstract([0x61, 0, 0x62])),
            (field([]), .unnamed),
            (
                Array(repeating: 0x61, count: 108),
                .path(FilePath(String(repeating: "a", count: 108)))
            ),
        ]
        for (bytes, address) in addresses {
            let header = ProxyHeader(.unix(source: address, destination: .path("/run/a")))
            try expect(binaryHeader(0x31, bytes + path), toBe: header)
        }
    }

    @Test("the sender's own connections and those of unknown kinds keep their real addresses")
    func readsLocal() throws {
        let local = ProxyHeader(.local)
        try expect(binaryHeader(0x00, [], command: 0x20), toBe: local)
        try expect(binaryHeader(0x11, Array(repeating: 7, count: 12), command: 0x20), toBe: local)
        // Its block is skipped, whatever it is.
        try expect(binaryHeader(0xFF, [1, 2, 3], command: 0x20), toBe: local)
        try expect(binaryHeader(0x00, [1, 2, 3, 4]), toBe: local)
        try expect(binaryHeader(0x10, [1, 2, 3]), toBe: local)
        try expect(binaryHeader(0x01, []), toBe: local)
    }

    @Test("extensions are skipped, up to the longest header that is read")
    func skipsExtensions() throws {
        let addresses: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 10]
        let header = try tcpHeader("1.2.3.4:9", "5.6.7.8:10")
        let some = headerExtension(0x01, Array("h2".utf8)) + headerExtension(0x04, [])
        try expect(binaryHeader(0x11, addresses + some), toBe: header)
        let room = ProxyHeader.longestRead - 16 - 12 - 3
        let most = addresses + headerExtension(0xE0, Array(repeating: 1, count: room))
        let longest = binaryHeader(0x11, most)
        #expect(longest.count == 65_551)
        #expect(ProxyHeader.parse(longest.span) == .complete(header, byteCount: 65_551))
        #expect(ProxyHeader.parse(longest.span.extracting(..<65_550)) == .incomplete)
    }

    @Test("the checksum is that of Castagnoli, and a header with a wrong one is refused")
    func verifiesChecksums() throws {
        #expect(Array("123456789".utf8).span.crc32c(zeroing: 0..<0) == 0xE306_9283)
        let addresses: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 10]
        let empty = binaryHeader(
            0x11,
            addresses + headerExtension(0x03, [0, 0, 0, 0]) + headerExtension(0xEA, [1, 2])
        )
        let header = checksummed(empty, at: 31)
        try expect(header, toBe: tcpHeader("1.2.3.4:9", "5.6.7.8:10"))
        for index in [16, 27, 31, 34, 35, header.count - 1] {
            for bit in 0..<8 {
                var changed = header
                changed[index] ^= 1 << UInt8(bit)
                #expect(ProxyHeader.parse(changed.span) == .malformed(.checksum))
            }
        }
        let twice = binaryHeader(
            0x11,
            addresses + headerExtension(3, [0, 0, 0, 0]) + headerExtension(3, [0, 0, 0, 0])
        )
        let short = binaryHeader(0x11, addresses + headerExtension(3, [0, 0, 0]))
        #expect(ProxyHeader.parse(checksummed(twice, at: 31).span) == .malformed(.checksum))
        #expect(ProxyHeader.parse(short.span) == .malformed(.checksum))
    }

    @Test("headers are written as the protocol's description has them")
    func writes() throws {
        let v4 = try tcpHeader("192.168.0.1:56324", "192.168.0.11:443")
        #expect(text(v4) == "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")
        #expect(
            v4.written(.v2)
                == binaryHeader(0x11, [192, 168, 0, 1, 192, 168, 0, 11, 0xDC, 0x04, 0x01, 0xBB])
        )
        #expect(v4.written(.off) == [])
        let v6 = try tcpHeader("[2001:db8::1:0:0:1]:0", "[::]:65535")
        #expect(text(v6) == "PROXY TCP6 2001:db8::1:0:0:1 :: 0 65535\r\n")
        let widest = try tcpHeader("[\(String(repeating: "fedc:", count: 7))fedc]:65535", "[1::]:1")
        #expect(text(widest).hasPrefix("PROXY TCP6 fedc:fedc:fedc:fedc:fedc:fedc:fedc:fedc 1:: "))
        let local = ProxyHeader(.local)
        #expect(text(local) == "PROXY UNKNOWN\r\n")
        #expect(local.written(.v2) == binaryHeader(0x00, [], command: 0x20))
        let unix = ProxyHeader(.unix(source: .unnamed, destination: .path("/run/a")))
        #expect(text(unix) == "PROXY UNKNOWN\r\n")
        #expect(unix.written(.v2).count == 232)
    }

    @Test("addresses of both families are written as IPv4 if they are, and else as IPv6")
    func writesMixed() throws {
        let mapped = try tcpHeader("[::ffff:1.2.3.4]:5", "6.7.8.9:10")
        #expect(text(mapped) == "PROXY TCP4 1.2.3.4 6.7.8.9 5 10\r\n")
        #expect(mapped.written(.v2) == (try tcpHeader("1.2.3.4:5", "6.7.8.9:10")).written(.v2))
        for source in ["1.2.3.4:5", "[::ffff:1.2.3.4]:5"] {
            let mixed = try tcpHeader(source, "[2001:db8::]:10")
            #expect(text(mixed) == "PROXY TCP6 ::ffff:102:304 2001:db8:: 5 10\r\n")
            #expect(
                ProxyHeader.parse(mixed.written(.v2).span)
                    == .complete(
                        try tcpHeader("[::ffff:1.2.3.4]:5", "[2001:db8::]:10"),
                        byteCount: 52
                    )
            )
        }
    }

    @Test("what is written is read again", arguments: 0..<8)
    func roundTrips(seed: UInt64) throws {
        var generator = Generator(state: seed)
        for _ in 0..<200 {
            let header = ProxyHeader.random(using: &generator)
            let line = header.written(.v1)
            let binary = header.written(.v2)
            guard case .tcp(let source, let destination) = header.origin else {
                try expect(line, toBe: ProxyHeader(.local), prefixes: false)
                try expect(binary, toBe: header, prefixes: false)
                continue
            }
            let (first, second) = (source.ip.unmapped, destination.ip.unmapped)
            for bytes in [line, binary] {
                guard case .complete(let found, bytes.count) = ProxyHeader.parse(bytes.span),
                    case .tcp(let from, let to) = found.origin
                else {
                    Issue.record("\(header) became \(bytes)")
                    return
                }
                #expect(from.ip.unmapped == first && to.ip.unmapped == second)
                #expect(from.port == source.port && to.port == destination.port)
                #expect(from.ip.family == to.ip.family)
                #expect((from.ip.family == .v4) == (first.family == .v4 && second.family == .v4))
            }
        }
    }

    private func text(_ header: ProxyHeader) -> String {
        String(decoding: header.written(.v1), as: UTF8.self)
    }

    /// Expects the bytes to be a header, their beginnings to be none yet, and what follows not to
    /// matter.
    private func expect(
        _ bytes: [UInt8],
        toBe header: ProxyHeader,
        prefixes: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let complete = ProxyHeader.Parse.complete(header, byteCount: bytes.count)
        for rest in [[], [0x0D], Array("GET / HTTP/1.1\r\n\r\n".utf8)] as [[UInt8]] {
            let found = ProxyHeader.parse((bytes + rest).span)
            #expect(found == complete, sourceLocation: sourceLocation)
        }
        guard prefixes else { return }
        for count in bytes.indices {
            let found = ProxyHeader.parse(bytes.span.extracting(first: count))
            #expect(found == .incomplete, "of \(count)", sourceLocation: sourceLocation)
        }
    }
}
