internal import TestSupport
internal import Testing
internal import Verypoll

@testable internal import VerypollConfiguration

@Suite("AddressLines")
struct AddressLinesTests {
    private func lines(_ text: String) -> AddressLines {
        AddressLines(Array(text.utf8), upTo: 1000)
    }

    @Test("a line has a block, a comment, both or nothing")
    func parses() throws {
        var lines = lines(
            """
            # comment
            10.0.0.0/8

              \t192.0.2.7 \t# one
            2001:DB8::/32; two\r
            ::1#three
            ; four
            ::ffff:10.1.2.3/128
            10.0.0.0/08
            """
        )
        let expected = try ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"].map {
            try AddressPrefix($0)
        }
        #expect(lines.problems == [])
        #expect(lines.entryCount == 6)
        #expect(lines.addresses() == AddressSet(expected))
    }

    @Test("an invalid line is reported with its line and column")
    func refuses() {
        let text = "10.0.0.1\n  10.0.0.1/8 # bits\n1.2.3.4 5.6.7.8\n\nexample.com"
        let found = lines(text).problems.map { "\($0.line):\($0.column): \($0.reason)" }
        #expect(
            found == [
                "2:3: \"10.0.0.1/8\" has bits set after the prefix; write \"10.0.0.0/8\" for the"
                    + " block or \"10.0.0.1\" for the address",
                "3:9: a line can have one block; write each block on a line of its own",
                "5:1: \"example.com\" is not a valid address block; write one such as"
                    + " \"10.0.0.0/8\" or \"2001:db8::1\"",
            ]
        )
    }

    @Test("only the first invalid lines are reported, and a long one costs little")
    func boundsProblems() {
        let lines = lines(String(repeating: "x\n", count: 1000))
        #expect(lines.problems.count == 20)
        #expect(lines.problems.last?.line == 20)
        let long = self.lines(String(repeating: "1", count: 1 << 20))
        #expect((long.problems.first?.reason.utf8.count ?? 0) < 300)
    }

    @Test("parsing ends after the limit")
    func limits() {
        let lines = AddressLines(Array("::1\n::2\n::3\n::4".utf8), upTo: 2)
        #expect(lines.entryCount == 3)
    }

    @Test("a line is valid, and means the same, exactly as in the configuration", arguments: 0..<8)
    func agreesWithPrefix(seed: UInt64) {
        var generator = Generator(state: seed)
        for _ in 0..<3000 {
            let text = Self.block(using: &generator)
            let block = try? AddressPrefix(text)
            var lines = lines(text)
            let isSame: Bool
            if let block {
                isSame = lines.problems.isEmpty && lines.addresses() == AddressSet([block])
            } else {
                isSame = !lines.problems.isEmpty
            }
            if !isSame {
                Issue.record("\(text) is \(String(describing: block)), not \(lines.problems)")
                return
            }
        }
    }

    /// Returns a text that is often a block, and otherwise similar to one.
    private static func block(using generator: inout Generator) -> String {
        let isV4 = Bool.random(using: &generator)
        var bytes: [UInt8]
        if isV4 {
            let octets = (0..<Int.random(in: 3...5, using: &generator)).map { index in
                index > 1 && Bool.random(using: &generator)
                    ? 0 : Int.random(in: 0...260, using: &generator)
            }
            bytes = Array(octets.map(String.init).joined(separator: ".").utf8)
        } else {
            let groups = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                Int.random(in: 0...3, using: &generator) == 0
                    ? "" : String(Int.random(in: 0...0x10000, using: &generator), radix: 16)
            }
            bytes = Array(groups.joined(separator: ":").utf8)
            if Bool.random(using: &generator) { bytes += "::".utf8 }
        }
        if Bool.random(using: &generator) {
            bytes += "/\(Int.random(in: 0...130, using: &generator))".utf8
        }
        if Int.random(in: 0..<4, using: &generator) == 0 {
            let characters = Array("0123456789abcdefF:./-+x".utf8)
            let index = Int.random(in: 0...bytes.count, using: &generator)
            bytes.insert(characters.randomElement(using: &generator) ?? 0x30, at: index)
        }
        return bytes.isEmpty ? "x" : String(decoding: bytes, as: UTF8.self)
    }
}

@Suite("AddressSet")
struct AddressSetTests {
    @Test("blocks that overlap or touch are merged, and equal sets have equal hashes")
    func merges() throws {
        let set = try AddressSet(["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"].map(Self.block))
        #expect(set.v4 == [0x0A00_0000, 0x0B00_0000])
        #expect(set == AddressSet([try Self.block("10.0.0.0/8")]))
        #expect(set.hash == AddressSet([try Self.block("10.0.0.0/8")]).hash)
        #expect(set.hash != AddressSet([try Self.block("10.0.0.0/9")]).hash)
        #expect(AddressSet([try Self.block("::1")]).hash != AddressSet([]).hash)
    }

    @Test("a set can contain all addresses or the last one")
    func containsLast() throws {
        let blocks = ["0.0.0.0/0", "255.255.255.255", "1.2.3.4", "::/0"]
        #expect(try AddressSet(blocks.map(Self.block)).v4 == [0])
        #expect(try AddressSet(blocks.map(Self.block)).v6 == [0])
        let last = try AddressSet(["255.255.255.255", "255.255.255.253"].map(Self.block))
        #expect(last.v4 == [.max - 2, .max - 1, .max])
    }

    @Test(
        "a set has the addresses of its blocks, built at once or from other sets",
        arguments: 0..<8
    )
    func agreesWithBlocks(seed: UInt64) {
        var generator = Generator(state: seed)
        for _ in 0..<50 {
            let ranges = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                let bitCount = Int.random(in: 22...32, using: &generator)
                let bits = UInt32.random(in: 0..<4096, using: &generator) &* 0x0010_0001
                return (bits & ~(UInt32.max >> UInt32(bitCount)), bitCount)
            }
            var builder = AddressSet.Builder()
            for (start, bitCount) in ranges { builder.add(v4: start, sharing: bitCount) }
            let set = builder.finish()
            var union = AddressSet.Builder()
            for range in ranges {
                var single = AddressSet.Builder()
                single.add(v4: range.0, sharing: range.1)
                union.add(single.finish())
            }
            #expect(union.finish() == set)
            for _ in 0..<200 {
                let address = UInt32.random(in: 0..<4096, using: &generator) &* 0x0010_0001
                let isInside = set.v4.count { $0 <= address } % 2 == 1
                let isListed = ranges.contains { start, bitCount in
                    address & ~(UInt32.max >> UInt32(bitCount)) == start
                }
                if isInside != isListed {
                    Issue.record("\(address) in \(ranges)")
                    return
                }
            }
        }
    }

    private static func block(_ text: String) throws -> AddressPrefix { try AddressPrefix(text) }
}
