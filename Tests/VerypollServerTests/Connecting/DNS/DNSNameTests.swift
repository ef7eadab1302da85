import Testing

@testable import VerypollServer

@Suite("DNSName")
struct DNSNameTests {
    private func parse(_ bytes: [UInt8], at offset: Int) throws -> (name: DNSName, end: Int) {
        var reader = DNSReader(bytes)
        try reader.skip(offset)
        return (try reader.name(), reader.offset)
    }

    @Test("a name is the same in upper case and with a dot at its end")
    func ignoresCase() throws {
        let name = try #require(DNSName("_App._TCP.Example.test."))
        #expect(name == DNSName("_app._tcp.example.test"))
        #expect(name.bytes == DNSBytes.name("_app._tcp.example.test"))
        #expect(name.description == "_app._tcp.example.test")
        #expect(DNSName(".") == .root)
        #expect(DNSName.root.description == ".")
    }

    @Test("a text with an empty label, a long label or too many bytes is not a name")
    func rejectsTexts() {
        let label = String(repeating: "a", count: 63)
        let longest = [label, label, label, String(repeating: "a", count: 61)]
        #expect(DNSName(longest.joined(separator: "."))?.bytes.count == 255)
        #expect(DNSName(longest.joined(separator: ".") + "a") == nil)
        #expect(DNSName(label + "a") == nil)
        for text in ["", "..", ".a", "a..b", "a..", "a.b.."] { #expect(DNSName(text) == nil) }
    }

    @Test("names with unusual bytes have texts without them, and different ones")
    func escapes() throws {
        let dot = try parse([3] + Array("a.b".utf8) + [0], at: 0).name
        #expect(dot.description == "a\\046b")
        #expect(dot != DNSName("a.b"))
        let control = try parse([3, 0x1B, 0xFF, 0x5C, 0], at: 0).name
        #expect(control.description == "\\027\\255\\092")
    }

    @Test("a pointer continues with an earlier name, and the next field follows the pointer")
    func followsPointers() throws {
        let bytes = DNSBytes.name("Example.test") + [1, 0x62, 0xC0, 0] + [1, 0x61, 0xC0, 14]
        let second = try parse(bytes, at: 14)
        #expect(second.name == DNSName("b.example.test"))
        #expect(second.end == 18)
        let third = try parse(bytes, at: 18)
        #expect(third.name == DNSName("a.b.example.test"))
        #expect(third.end == 22)
    }

    @Test(
        "a name is malformed if it ends early, loops, points forward or has an unknown kind of label",
        arguments: [
            [], [3, 0x61], [1, 0x61], [0xC0], [0xC0, 0], [0xC0, 2, 0], [1, 0x61, 0xC0, 0],
            [0x40, 0], [0x80, 0],
        ] as [[UInt8]]
    )
    func rejects(_ bytes: [UInt8]) {
        #expect(throws: DNSReader.Malformed.self) { try parse(bytes, at: 0) }
    }

    @Test("pointers to pointers are followed 127 times at most")
    func limitsPointers() throws {
        var bytes: [UInt8] = [0]
        for index in 0..<128 {
            bytes += DNSBytes.pointer(to: index == 0 ? 0 : UInt16(2 * index - 1))
        }
        #expect(try parse(bytes, at: 1 + 2 * 126).name == .root)
        #expect(throws: DNSReader.Malformed.self) { try parse(bytes, at: 1 + 2 * 127) }
    }

    @Test("a name of 255 bytes is valid, and one of 256 is not, with a pointer or without")
    func limitsSize() throws {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let three = label + label + label
        let longest = three + [61] + [UInt8](repeating: 0x61, count: 61) + [0]
        #expect(longest.count == 255)
        #expect(try parse(longest, at: 0).name.bytes == longest)
        let longer = three + [62] + [UInt8](repeating: 0x61, count: 62) + [0]
        #expect(throws: DNSReader.Malformed.self) { try parse(longer, at: 0) }
        #expect(throws: DNSReader.Malformed.self) { try parse(three + label + [0], at: 0) }
        let pointed = longest + [1, 0x62, 0xC0, 0]
        #expect(throws: DNSReader.Malformed.self) { try parse(pointed, at: 255) }
    }
}
