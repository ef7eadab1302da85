import DaemonTestSupport
import TestSupport
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("malformed PROXY headers")
struct ProxyHeaderMalformationTests {
    @Test(
        "a line that is not exactly as described is refused",
        arguments: [
            ("GET / HTTP/1.1\r\n", .signature), ("proxy TCP4", .signature),
            ("PROXY\r\n", .signature),
            (" PROXY TCP4", .signature), ("\n", .signature), ("PROXYTCP4", .signature),
            ("PROXY  TCP4", .protocolName), ("PROXY TCP5", .protocolName),
            ("PROXY UDP4", .protocolName), ("PROXY tcp4", .protocolName),
            ("PROXY TCP4\r\n", .protocolName), ("PROXY UNKNOWN\n", .protocolName),
            ("PROXY UNKNOWNS\r\n", .protocolName), ("PROXY \r\n", .protocolName),
            ("PROXY UNKNOWN\rx", .line), ("PROXY UNKNOWN x\n", .line),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\n", .line),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r \n", .line),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 9\r\n", .fields), ("PROXY TCP4 \r\n", .fields),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 9 10 \r\n", .fields),
            ("PROXY TCP4 1.2.3.4  5.6.7.8 9 10\r\n", .fields),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 9 10 11\r\n", .fields),
            ("PROXY TCP4 1.2.3 5.6.7.8 9 10\r\n", .address),
            ("PROXY TCP4 1.2.3.256 5.6.7.8 9 10\r\n", .address),
            ("PROXY TCP4 1.2.3.04 5.6.7.8 9 10\r\n", .address),
            ("PROXY TCP4 1.2.3.4 5.6.7.8\t 9 10\r\n", .address),
            ("PROXY TCP4 ::1 5.6.7.8 9 10\r\n", .address),
            ("PROXY TCP4 1.2.3.4 ::1 9 10\r\n", .address),
            ("PROXY TCP4 ::ffff:1.2.3.4 5.6.7.8 9 10\r\n", .address),
            ("PROXY TCP6 1.2.3.4 5.6.7.8 9 10\r\n", .address),
            ("PROXY TCP6 ::1 1:2 9 10\r\n", .address),
            ("PROXY TCP6 [::1] ::2 9 10\r\n", .address),
            ("PROXY TCP6 fe80::1%1 ::2 9 10\r\n", .address),
            ("PROXY TCP6 1::2::3 ::2 9 10\r\n", .address),
            ("PROXY TCP6 \u{FF11}:: ::2 9 10\r\n", .address),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 65536 10\r\n", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 9 99999999999999999999\r\n", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 09 10\r\n", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 00 10\r\n", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 +9 10\r\n", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 -0 10\r\n", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 0x9 10\r\n", .port),
        ] as [(String, ProxyHeader.Reason)]
    )
    func refusesLines(line: String, reason: ProxyHeader.Reason) {
        #expect(ProxyHeader.parse(Array(line.utf8).span) == .malformed(reason))
    }

    @Test("an empty port or address is refused")
    func refusesEmpty() {
        for line in ["PROXY TCP4 1.2.3.4 5.6.7.8  10\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 9 \r\n"] {
            #expect(ProxyHeader.parse(Array(line.utf8).span) == .malformed(.port))
        }
        let line = "PROXY TCP4  5.6.7.8 9 10\r\n"
        #expect(ProxyHeader.parse(Array(line.utf8).span) == .malformed(.address))
    }

    @Test("a line longer than 107 bytes is refused as soon as it can't end in time")
    func refusesLongLines() {
        for beginning in ["PROXY UNKNOWN ", "PROXY TCP4 ", "PROXY TCP6 "] {
            let line = Array(beginning.utf8) + Array(repeating: 0x31, count: 200)
            #expect(ProxyHeader.parse(line.span.extracting(..<105)) == .incomplete)
            #expect(ProxyHeader.parse(line.span.extracting(..<106)) == .malformed(.line))
            let ended = line[..<106] + [0x0D, 0x0A]
            #expect(ProxyHeader.parse(Array(ended).span) == .malformed(.line))
        }
    }

    @Test(
        "version two that is not exactly as described is refused",
        arguments: [
            (binaryHeader(0x11, address, command: 0x11), .version),
            (binaryHeader(0x11, address, command: 0x31), .version),
            (binaryHeader(0x11, address, command: 0x22), .command),
            (binaryHeader(0x11, address, command: 0x2F), .command),
            (binaryHeader(0x41, address), .family), (binaryHeader(0xF0, address), .family),
            (binaryHeader(0x12, address), .transport), (binaryHeader(0x02, []), .transport),
            (binaryHeader(0x13, address), .transport), (binaryHeader(0x1F, address), .transport),
            (binaryHeader(0x11, []), .length),
            (binaryHeader(0x11, address.dropLast()), .length),
            (binaryHeader(0x21, Array(repeating: 0, count: 35)), .length),
            (binaryHeader(0x31, Array(repeating: 0, count: 215)), .length),
            (binaryHeader(0x11, address + [1]), .extensions),
            (binaryHeader(0x11, address + [1, 0]), .extensions),
            (binaryHeader(0x11, address + [1, 0, 1]), .extensions),
            (binaryHeader(0x11, address + [4, 0, 0, 1, 0, 2, 9]), .extensions),
            (binaryHeader(0x11, address + [1, 0xFF, 0xFF]), .extensions),
        ] as [([UInt8], ProxyHeader.Reason)]
    )
    func refusesBinary(bytes: [UInt8], reason: ProxyHeader.Reason) {
        #expect(ProxyHeader.parse(bytes.span) == .malformed(reason))
    }

    private static let address: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 10]

    @Test("a header is refused at the first byte that no header has")
    func refusesEarly() {
        for byte in UInt8.min ... .max {
            let found = ProxyHeader.parse([byte].span)
            let isFirst = byte == UInt8(ascii: "P") || byte == 0x0D
            #expect(found == (isFirst ? .incomplete : .malformed(.signature)))
        }
        for text in ["PROXY TCP4 ", ProxyHeader.signature] {
            let bytes = Array(text.utf8)
            for index in bytes.indices {
                let wrong = bytes[..<index] + [bytes[index] ^ 0x80]
                let reason: ProxyHeader.Reason =
                    text.hasPrefix("P") && index >= 6 ? .protocolName : .signature
                #expect(ProxyHeader.parse(Array(wrong).span) == .malformed(reason))
            }
        }
        let signature = Array(ProxyHeader.signature.utf8)
        #expect(ProxyHeader.parse((signature + [0x11]).span) == .malformed(.version))
        #expect(ProxyHeader.parse((signature + [0x21, 0x12]).span) == .malformed(.transport))
        let short = signature + [0x21, 0x11, 0, 11]
        #expect(ProxyHeader.parse(short.span) == .malformed(.length))
    }

    @Test("whatever comes, more of it changes no verdict", arguments: 0..<8)
    func decidesOnce(seed: UInt64) {
        var generator = Generator(state: seed)
        for _ in 0..<150 {
            let header = ProxyHeader.random(using: &generator)
            let version: UpstreamConfiguration.ProxyHeader =
                Bool.random(using: &generator) ? .v1 : .v2
            var bytes = header.written(version)
            bytes += (0..<40).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                bytes[index] = UInt8.random(in: 0 ... .max, using: &generator)
            }
            var verdict = ProxyHeader.Parse.incomplete
            for count in 0...bytes.count {
                let found = ProxyHeader.parse(bytes.span.extracting(first: count))
                if verdict == .incomplete {
                    verdict = found
                    guard case .complete(_, let end) = found else { continue }
                    #expect(end == count)
                } else if found != verdict {
                    Issue.record("\(bytes): \(verdict) became \(found) with \(count) bytes")
                    return
                }
            }
        }
    }
}
