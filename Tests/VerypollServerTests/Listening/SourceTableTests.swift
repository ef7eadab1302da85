import Synchronization
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("SourceTable")
struct SourceTableTests {
    @Test("a source is an IPv4 address, in either form, or an IPv6 network of 64 bits")
    func tellsSources() throws {
        let table = SourceTable(limit: 2, capacity: 8)
        let v4 = try address("10.0.0.1")
        let mapped = try address("::ffff:10.0.0.1")
        #expect(table.enter(v4) && table.enter(mapped))
        #expect(!table.enter(v4) && !table.enter(mapped))
        #expect(table.enter(try address("10.0.0.2")))
        #expect(table.enter(try address("2001:db8::1")))
        #expect(table.enter(try address("2001:db8::ffff:0:0:2")))
        #expect(!table.enter(try address("2001:db8::3")))
        #expect(table.enter(try address("2001:db8:0:1::1")))
        // An IPv6 network with the same number as an IPv4 address is a different source.
        #expect(table.enter(try address("::10.0.0.1")))
        #expect(table.enter(try address("0:0:a00:1::")))
        #expect(table.count(of: v4) == 2)
        #expect(table.count(of: try address("2001:db8::9")) == 2)
        #expect(table.count(of: try address("10.0.0.3")) == 0)
        table.leave(mapped)
        #expect(table.count(of: v4) == 1 && table.enter(v4))
    }

    @Test("a full table admits known sources, and a new one after another has left")
    func isBounded() throws {
        let table = SourceTable(limit: 2, capacity: 2)
        let (one, two, three) = (IPAddress(v4: 1), IPAddress(v4: 2), IPAddress(v4: 3))
        #expect(table.enter(one) && table.enter(two))
        #expect(!table.enter(three))
        #expect(table.enter(one))
        table.leave(one)
        #expect(!table.enter(three))
        table.leave(one)
        #expect(table.enter(three))
        #expect(table.count(of: one) == 0 && table.count(of: three) == 1)
    }

    @Test("counting out an address that was not counted in traps")
    func trapsOnLeaving() async {
        await #expect(processExitsWith: .failure) {
            let table = SourceTable(limit: 2, capacity: 2)
            _ = table.enter(IPAddress(v4: 1))
            table.leave(IPAddress(v4: 2))
        }
    }

    @Test("any order of entering and leaving is counted as by a dictionary", arguments: 0..<12)
    func behavesAsADictionary(seed: UInt64) {
        var generator = Generator(state: seed)
        let capacity = Int.random(in: 1...200, using: &generator)
        let limit = Int.random(in: 1...4, using: &generator)
        let table = SourceTable(limit: limit, capacity: capacity)
        var model: [IPAddress: Int] = [:]
        let sources = (0..<2 * capacity).map { index in
            index % 2 == 0
                ? IPAddress(v4: UInt32(index)) : IPAddress(v6: UInt128(index) << 64 | 1)
        }
        for step in 0..<20_000 {
            let source = sources[Int.random(in: sources.indices, using: &generator)]
            // The table fills for a while, and then empties.
            let enters = Int.random(in: 0..<10, using: &generator) < (step / 2000 % 2 == 0 ? 7 : 3)
            let present = model[source] ?? 0
            if enters {
                let isTaken = present < limit && (present > 0 || model.count < capacity)
                #expect(table.enter(source) == isTaken)
                if isTaken { model[source] = present + 1 }
            } else if present > 0 {
                table.leave(source)
                model[source] = present > 1 ? present - 1 : nil
            }
            #expect(table.count(of: source) == model[source] ?? 0)
        }
        for source in sources { #expect(table.count(of: source) == model[source] ?? 0) }
    }

    @Test("a table with only one free slot counts correctly", arguments: 0..<8)
    func countsWhereCrowded(seed: UInt64) {
        var generator = Generator(state: seed)
        let slotCount = Int.random(in: 2...40, using: &generator)
        var table = CountTable<Int>(slotCount: slotCount)
        var model: [Int: Int] = [:]
        for _ in 0..<5000 {
            let key = Int.random(in: 0..<2 * slotCount, using: &generator)
            let enters = Bool.random(using: &generator)
            if enters, model[key] != nil || model.count < slotCount - 1 {
                table.add(key)
                model[key, default: 0] += 1
            } else if !enters, let present = model[key] {
                table.remove(key)
                model[key] = present > 1 ? present - 1 : nil
            }
            let keyCount = table.keyCount
            #expect(keyCount == model.count)
            for key in 0..<2 * slotCount {
                let count = table.count(of: key)
                if count != model[key] ?? 0 {
                    Issue.record("\(key) is counted \(count), not \(model[key] ?? 0)")
                    return
                }
            }
        }
    }

    @Test("threads together never exceed the limit, and all counts return to zero")
    func isShared() throws {
        let crowd = Crowd()
        let threads = try (0..<4).map { number in
            try Thread(name: "source/\(number)") { crowd.comeAndGo(seed: UInt64(number)) }
        }
        for thread in threads { thread.join() }
        #expect(crowd.entered.load(ordering: .relaxed) > 1000)
        #expect(crowd.refused.load(ordering: .relaxed) > 0)
        #expect(crowd.exceeded.load(ordering: .relaxed) == 0)
        for source in 0..<16 {
            #expect(crowd.table.count(of: IPAddress(v4: UInt32(source))) == 0)
        }
    }

    private func address(_ text: String) throws -> IPAddress {
        try #require(IPAddress(text))
    }
}

/// Threads with sessions of 16 sources, each of which may have three at a time.
private final class Crowd: Sendable {
    let table = SourceTable(limit: 3, capacity: 16)
    let entered = Atomic(0)
    let refused = Atomic(0)
    let exceeded = Atomic(0)
    private let present: [16 of Atomic<Int>] = .init { _ in Atomic(0) }

    func comeAndGo(seed: UInt64) {
        var generator = Generator(state: seed)
        var mine: [Int] = []
        for _ in 0..<20_000 {
            if mine.count < 16, Bool.random(using: &generator) {
                let source = Int.random(in: 0..<16, using: &generator)
                if table.enter(IPAddress(v4: UInt32(source))) {
                    let count = present[source].add(1, ordering: .relaxed).newValue
                    if count > 3 { exceeded.add(1, ordering: .relaxed) }
                    entered.add(1, ordering: .relaxed)
                    mine.append(source)
                } else {
                    refused.add(1, ordering: .relaxed)
                }
            } else if let index = mine.indices.randomElement(using: &generator) {
                leave(mine.remove(at: index))
            }
        }
        for source in mine { leave(source) }
    }

    private func leave(_ source: Int) {
        present[source].subtract(1, ordering: .relaxed)
        table.leave(IPAddress(v4: UInt32(source)))
    }
}
