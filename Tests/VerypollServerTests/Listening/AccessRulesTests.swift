import Synchronization
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("AccessRules")
struct AccessRulesTests {
    @Test("without rules all addresses are admitted; denied ones are not, even if allowed")
    func admits() throws {
        let open = AccessRules(allow: nil, deny: [])
        let closed = AccessRules(allow: [], deny: [])
        let some = AccessRules(
            allow: try prefixes(["10.0.0.0/8", "::1"]),
            deny: try prefixes(["10.0.0.66"])
        )
        let expected: [(String, Bool)] = [
            ("10.0.0.65", true), ("10.0.0.66", false), ("10.0.0.67", true),
            ("9.255.255.255", false),
            ("10.255.255.255", true), ("11.0.0.0", false), ("::1", true), ("::2", false),
            ("::", false), ("::ffff:10.0.0.65", true), ("::ffff:10.0.0.66", false),
            ("::ffff:11.0.0.0", false), ("0.0.0.0", false), ("255.255.255.255", false),
        ]
        for (text, isAdmitted) in expected {
            let address = try #require(IPAddress(text))
            #expect(open.admits(address))
            #expect(!closed.admits(address))
            #expect(some.admits(address) == isAdmitted, "\(address)")
        }
    }

    @Test("a block may contain all addresses or end with the last one")
    func admitsLast() throws {
        let v4 = AccessRules(allow: try prefixes(["0.0.0.0/0"]), deny: [])
        #expect(v4.admits(IPAddress(v4: .max)) && v4.admits(IPAddress(v4: 0)))
        #expect(!v4.admits(IPAddress(v6: .max)))
        let v6 = AccessRules(allow: nil, deny: try prefixes(["::/0", "255.255.255.255"]))
        #expect(!v6.admits(IPAddress(v6: .max)) && !v6.admits(IPAddress(v6: 0)))
        #expect(!v6.admits(IPAddress(v4: .max)) && v6.admits(IPAddress(v4: .max - 1)))
        #expect(v6.admits(IPAddress(v6: 0xFFFF << 32 | 7)))
    }

    @Test("the rules admit the same addresses as checking them one by one", arguments: 0..<12)
    func agreesWithEachRule(seed: UInt64) throws {
        var generator = Generator(state: seed)
        for _ in 0..<40 {
            let allow = Bool.random(using: &generator) ? try rules(using: &generator) : nil
            let deny = try rules(using: &generator)
            let access = AccessRules(allow: allow, deny: deny)
            var addresses = (0..<20).map { _ in IPAddress.random(using: &generator) }
            for prefix in (allow ?? []) + deny { addresses += prefix.surroundings }
            for address in addresses {
                let isAllowed = allow?.contains { $0.contains(address) } ?? true
                let isDenied = deny.contains { $0.contains(address) }
                if access.admits(address) != (isAllowed && !isDenied) {
                    Issue.record("\(address) with \(String(describing: allow)) and \(deny)")
                    return
                }
            }
        }
    }

    @Test("with 10,000 blocks, an address is compared with at most 15 bounds")
    func comparesFew() {
        let boundaries = (0..<20_000).map { CountedBound(value: 2 * $0) }
        let list = BoundaryList(allow: boundaries, deny: [])
        for value in stride(from: -1, through: 40_001, by: 7) {
            let before = CountedBound.comparisons.load(ordering: .relaxed)
            let isInside = list.contains(CountedBound(value: value))
            let compared = CountedBound.comparisons.load(ordering: .relaxed) - before
            #expect((1...15).contains(compared))
            #expect(isInside == ((0..<40_000).contains(value) && value % 4 < 2))
        }
    }

    private func prefixes(_ texts: [String]) throws -> [AddressPrefix] {
        try texts.map { try AddressPrefix($0) }
    }

    /// Returns blocks that often touch, overlap or are equal.
    private func rules(using generator: inout Generator) throws -> [AddressPrefix] {
        try (0..<Int.random(in: 0...12, using: &generator)).map { _ in
            let address = IPAddress.random(using: &generator)
            let width = address.family == .v4 ? 32 : 128
            let spread = Int.random(in: 0...4, using: &generator)
            let length = Int.random(in: 0...9, using: &generator) == 0 ? 0 : width - spread
            let mask = length == 0 ? 0 : UInt128.max << UInt128(width - length)
            let bits = address.bits & mask
            let first =
                width == 32
                ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : IPAddress(v6: bits)
            return try AddressPrefix("\(first)/\(length)")
        }
    }
}

/// A number that counts the comparisons of such numbers.
private struct CountedBound: Comparable, Sendable {
    static let comparisons = Atomic(0)

    let value: Int

    static func < (left: CountedBound, right: CountedBound) -> Bool {
        comparisons.add(1, ordering: .relaxed)
        return left.value < right.value
    }
}

extension IPAddress {
    /// Returns one of a few addresses, so that the rules often match it.
    fileprivate static func random(using generator: inout Generator) -> IPAddress {
        let low = UInt32.random(in: 0..<32, using: &generator)
        let high = UInt32.max - low
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return IPAddress(v4: low)
        case 1: return IPAddress(v4: high)
        case 2: return IPAddress(v6: UInt128(low))
        case 3: return IPAddress(v6: .max - UInt128(low))
        case 4: return IPAddress(v6: 0xFFFF << 32 | UInt128(low))
        default: return IPAddress(v6: 0xFFFF << 32 | UInt128(high))
        }
    }

    /// Returns the address at a distance, which may be negative.
    fileprivate func advanced(by distance: Int) -> IPAddress {
        switch family {
        case .v4:
            IPAddress(v4: UInt32(truncatingIfNeeded: bits) &+ UInt32(truncatingIfNeeded: distance))
        case .v6: IPAddress(v6: bits &+ UInt128(truncatingIfNeeded: distance))
        }
    }
}

extension AddressPrefix {
    /// The first and the last address of the block, and the addresses next to them.
    fileprivate var surroundings: [IPAddress] {
        let width = address.family == .v4 ? 32 : 128
        let count = Int(truncatingIfNeeded: UInt128(1) << UInt128(width - bitCount))
        return [-1, 0, 1, count - 1, count].map { address.advanced(by: $0) }
    }
}
