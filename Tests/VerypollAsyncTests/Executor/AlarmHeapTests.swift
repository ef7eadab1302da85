import TestSupport
import Testing

@testable import VerypollAsync

@Suite struct AlarmHeapTests {
    private let start = Deadline.now

    private func time(_ milliseconds: Int) -> Deadline {
        start.advanced(by: .milliseconds(milliseconds))
    }

    // Functions, because the macro cannot handle noncopyable values.
    private func pop(
        _ heap: inout AlarmHeap,
        before time: Deadline
    ) -> ThreadReference<Waiter>? {
        heap.popFirst(before: time)
    }

    private func first(of heap: borrowing AlarmHeap) -> Deadline { heap.first }

    @Test("alarms ring in the order of their times, and not before")
    func rings() {
        var heap = AlarmHeap()
        let waiters = (0..<5).map { _ in ThreadReference(Waiter()) }
        defer { for waiter in waiters { waiter.deallocate() } }
        for (index, milliseconds) in [30, 10, 50, 20, 40].enumerated() {
            heap.set(waiters[index], noLaterThan: time(milliseconds))
        }
        #expect(first(of: heap) == time(10))
        #expect(pop(&heap, before: time(9)) == nil)
        #expect(pop(&heap, before: time(35)) == waiters[1])
        #expect(pop(&heap, before: time(35)) == waiters[3])
        #expect(pop(&heap, before: time(35)) == waiters[0])
        #expect(pop(&heap, before: time(35)) == nil)
        #expect(first(of: heap) == time(40))
    }

    @Test("a later deadline leaves the alarm where it is, and an earlier one moves it")
    func moves() {
        var heap = AlarmHeap()
        let waiter = ThreadReference(Waiter())
        defer { waiter.deallocate() }
        heap.set(waiter, noLaterThan: time(20))
        heap.set(waiter, noLaterThan: time(30))
        #expect(first(of: heap) == time(20))
        heap.set(waiter, noLaterThan: time(10))
        #expect(first(of: heap) == time(10))
        heap.remove(waiter)
        let isEmpty = heap.isEmpty
        #expect(isEmpty)
        #expect(waiter.value.alarmIndex == -1)
    }

    @Test(
        "any sequence of sets, removals and rings gives what a sorted list gives",
        arguments: 0..<20
    )
    func keepsModel(seed: UInt64) {
        var generator = Generator(state: seed)
        var heap = AlarmHeap()
        let waiters = (0..<40).map { _ in ThreadReference(Waiter()) }
        defer { for waiter in waiters { waiter.deallocate() } }
        var model: [Int: Deadline] = [:]
        for _ in 0..<2_000 {
            let index = Int.random(in: 0..<waiters.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1:
                let time = time(Int.random(in: 0..<100, using: &generator))
                heap.set(waiters[index], noLaterThan: time)
                model[index] = min(model[index] ?? time, time)
            case 2:
                heap.remove(waiters[index])
                model[index] = nil
            default:
                let now = time(Int.random(in: 0..<100, using: &generator))
                let rung = heap.popFirst(before: now)
                let earliest = model.values.min()
                guard let earliest, earliest <= now else {
                    #expect(rung == nil)
                    continue
                }
                let key = waiters.firstIndex { $0 == rung }
                #expect(key.flatMap { model[$0] } == earliest)
                if let key { model[key] = nil }
            }
            let first = heap.first
            #expect(first == model.values.min() ?? .never)
        }
    }
}
