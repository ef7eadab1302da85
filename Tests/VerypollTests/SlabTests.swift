import TestSupport
import Testing

@testable import Verypoll

@Suite("Slab")
struct SlabTests {
    struct Counter: ~Copyable {
        var value: Int
    }

    @Test("values are changed in place, and slots are reused under new keys")
    func reuses() throws {
        var slab = Slab<Counter>(capacity: 2)
        let first = try insert(1, into: &slab)
        let second = try insert(2, into: &slab)
        #expect(first != second)
        switch slab.insert(Counter(value: 3)) {
        case .stored: Issue.record("stored over the capacity")
        case .full(let counter): #expect(counter.value == 3)
        }

        slab[first].value += 41
        let removed = take(first, from: &slab)
        #expect(removed == 42)
        #expect(slab.contains(first) == false)
        #expect(take(first, from: &slab) == nil)

        let third = try insert(3, into: &slab)
        #expect(third.index == first.index && third.generation != first.generation)
        #expect(slab.contains(first) == false)
        #expect(slab.contains(third) == true)
        #expect(slab.count == 2)
    }

    @Test("a key survives conversion to a token and back, and no other token yields a key")
    func makesTokens() {
        for key in [
            SlabKey(index: 0, generation: 0), SlabKey(index: .max >> 1, generation: 0x7FFF_FFFF),
            SlabKey(index: 7, generation: 9),
        ] {
            #expect(key.token.rawValue >= 0)
            #expect(SlabKey(key.token) == key)
        }
        #expect(SlabKey(Token(-1)) == nil)
        #expect(SlabKey(Token(.min)) == nil)
    }

    @Test("random insertions and removals behave as with a dictionary", arguments: 0..<8)
    func behavesAsADictionary(seed: UInt64) throws {
        var generator = Generator(state: seed)
        var slab = Slab<Counter>(capacity: 32)
        var model: [SlabKey: Int] = [:]
        var gone: [SlabKey] = []
        for step in 0..<4000 {
            switch Int.random(in: 0..<3, using: &generator) {
            case 0 where model.count < 32:
                model[try insert(step, into: &slab)] = step
            case 1:
                guard let key = model.keys.randomElement(using: &generator) else { continue }
                slab[key].value += 1
                model[key, default: 0] += 1
            default:
                guard let key = model.keys.randomElement(using: &generator) else { continue }
                let value = take(key, from: &slab)
                #expect(value == model.removeValue(forKey: key))
                gone.append(key)
            }
            #expect(slab.count == model.count)
        }
        for (key, value) in model { #expect(slab[key].value == value) }
        for key in gone { #expect(slab.contains(key) == false) }
        let keys = Set((0..<slab.endIndex).compactMap { slab.key(at: $0) })
        #expect(keys == Set(model.keys))
    }

    @Test("destroying the slab destroys all its values")
    func destroys() throws {
        final class Witness {}
        struct Holder: ~Copyable { let witness: Witness }
        weak var weakly: Witness?
        do {
            let witness = Witness()
            weakly = witness
            var slab = Slab<Holder>(capacity: 4)
            guard case .stored = slab.insert(Holder(witness: witness)) else {
                Issue.record("no room")
                return
            }
            #expect(weakly != nil)
        }
        #expect(weakly == nil)
    }

    @Test("using a key whose value was removed traps")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            let slab = Slab<Counter>(capacity: 1)
            _ = slab[SlabKey(index: 0, generation: 0)].value
        }
    }

    private func take(_ key: SlabKey, from slab: inout Slab<Counter>) -> Int? {
        guard let counter = slab.remove(key) else { return nil }
        return counter.value
    }

    private func insert(_ value: Int, into slab: inout Slab<Counter>) throws -> SlabKey {
        switch slab.insert(Counter(value: value)) {
        case .stored(let key): return key
        case .full:
            struct Full: Error {}
            throw Full()
        }
    }
}
