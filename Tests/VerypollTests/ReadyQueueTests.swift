import Testing

@testable import Verypoll

@Suite("ReadyQueue and Budget")
struct ReadyQueueTests {
    private func key(_ index: UInt32, _ generation: UInt32 = 0) -> SlabKey {
        SlabKey(index: index, generation: generation)
    }

    @Test("keys come out in insertion order, each once, however often it was added")
    func queues() {
        var queue = ReadyQueue(capacity: 4)
        #expect((queue.popFirst() == nil) == true)
        for index in [2, 0, 2, 3, 0] as [UInt32] { queue.append(key(index)) }
        #expect(queue.count == 3 && queue.contains(key(2)) && !queue.contains(key(1)))
        var order: [UInt32] = []
        while let next = queue.popFirst() { order.append(next.index) }
        #expect(order == [2, 0, 3])
        #expect(queue.isEmpty && !queue.contains(key(2)))
    }

    @Test("a key added during a turn is served in the next one")
    func takesTurns() {
        var queue = ReadyQueue(capacity: 2)
        queue.append(key(0))
        for turn in 0..<5 as Range<UInt32> {
            #expect(queue.count == 1)
            for _ in 0..<queue.count {
                guard let next = queue.popFirst() else { return }
                #expect(next == key(turn % 2))
                queue.append(key((turn + 1) % 2))
            }
        }
    }

    @Test("a new value's key replaces the old key for the same slot, and is not lost")
    func replaces() {
        var queue = ReadyQueue(capacity: 2)
        queue.append(key(1, 4))
        queue.append(key(1, 5))
        #expect(!queue.contains(key(1, 4)) && queue.contains(key(1, 5)))
        let next = queue.popFirst()
        #expect(next == key(1, 5) && queue.isEmpty)
    }

    @Test("a budget is spent by calls or by bytes, whichever limit is reached first")
    func budgets() {
        var budget = Budget(calls: 3, bytes: 100)
        budget.spend(bytes: 60)
        #expect(!budget.isSpent)
        budget.spend(bytes: 60)
        #expect(budget.isSpent)
        budget = Budget(calls: 2)
        budget.spend()
        #expect(!budget.isSpent)
        budget.spend()
        #expect(budget.isSpent)
    }
}
