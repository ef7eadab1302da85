import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Buffer and BufferPool")
struct BufferTests {
    @Test("a buffer fills at its end, drains at its start, and has full room when empty")
    func fillsAndDrains() {
        var buffer = Buffer()
        buffer.append([1, 2, 3, 4].span)
        let taken = buffer.drain { bytes in
            #expect(bytes.count == 4 && bytes[0] == 1)
            return 3
        }
        #expect(taken == 3 && buffer.count == 1)
        #expect(buffer.drain { _ in nil } == nil)
        #expect(buffer.count == 1)
        _ = buffer.drain { $0.count }
        var room = 0
        buffer.append { room = $0.freeCapacity }
        #expect(room == Buffer.capacity)
    }

    @Test("bytes that are moved to another buffer keep their order")
    func moves() {
        var first = Buffer()
        var second = Buffer()
        second.append([1].span)
        first.append([2, 3].span)
        first.move(to: &second)
        #expect(first.count == 0)
        var bytes: [UInt8] = []
        _ = second.drain { span in
            for index in span.indices { bytes.append(span[index]) }
            return span.count
        }
        #expect(bytes == [1, 2, 3])
    }

    @Test("the pool hands out empty buffers, no more than its limit")
    func limits() {
        var pool = BufferPool()
        var taken = Slab<Buffer>(capacity: BufferPool.limit)
        var keys: [SlabKey] = []
        while pool.hasRoom {
            var buffer = pool.take()
            #expect(buffer.count == 0)
            buffer.append([7].span)
            if case .stored(let key) = taken.insert(buffer) { keys.append(key) }
        }
        #expect(keys.count == BufferPool.limit && pool.inUse == BufferPool.limit)
        for key in keys {
            if let buffer = taken.remove(key) { pool.give(buffer) }
        }
        #expect(pool.inUse == 0)
        let count = pool.take().count
        #expect(count == 0)
    }
}
