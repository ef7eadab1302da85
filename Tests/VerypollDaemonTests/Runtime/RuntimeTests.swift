import Foundation
import Synchronization
import SystemPackage
import Testing
import Verypoll

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Buffer and BufferPool")
struct BufferTests {
    @Test("a buffer fills at its end, drains at its start, and begins anew when it is empty")
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

    @Test("what is moved to another buffer keeps its order")
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

    @Test("the pool gives out no more than its limit, and every buffer empty")
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

@Suite("SessionLimiter")
struct SessionGateTests {
    @Test("no more enter than the limit, whichever threads they come from")
    func limits() async {
        let limiter = SessionLimiter(limit: 3)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<2000 where limiter.tryReserve() {
                        limiter.commit()
                        #expect(limiter.active <= 3)
                        _ = limiter.release()
                    }
                }
            }
        }
        #expect(limiter.active == 0)
        #expect((0..<4).map { _ in limiter.tryReserve() } == [true, true, true, false])
    }

    @Test("who is refused is not counted, not even for a moment")
    func countsNoRefused() throws {
        let limiter = SessionLimiter(limit: 1)
        #expect(limiter.tryReserve())
        let thread = try Thread(name: "refused") {
            for _ in 0..<100_000 where limiter.tryReserve() {
                Issue.record("entered over the limit")
            }
        }
        let most = (0..<100_000).map { _ in limiter.places.load(ordering: .relaxed) }.max()
        thread.join()
        #expect(most == 1)
    }

    @Test("a place is no session before one settles on it, and full is what sessions fill")
    func settles() {
        let limiter = SessionLimiter(limit: 1)
        #expect(limiter.tryReserve() && !limiter.tryReserve())
        #expect(limiter.active == 0 && !limiter.isFull())
        limiter.commit()
        #expect(limiter.active == 1 && limiter.isFull())
        #expect(!limiter.release())
        #expect(limiter.active == 0 && limiter.tryReserve())
        #expect(!limiter.cancel() && limiter.tryReserve())
    }

    @Test("whoever leaves is told once that somebody waits")
    func tells() {
        let limiter = SessionLimiter(limit: 2)
        #expect(limiter.reserveOrAwait() && limiter.reserveOrAwait())
        limiter.commit()
        limiter.commit()
        #expect(!limiter.reserveOrAwait() && !limiter.reserveOrAwait())
        #expect(limiter.release())
        #expect(!limiter.release())
        #expect(limiter.tryReserve())
        #expect(!limiter.cancel())
        #expect(limiter.active == 0)
    }
}

@Suite("Clocks and limits")
struct ClockTests {
    @Test("durations become milliseconds rounded up")
    func rounds() {
        #expect(Duration.milliseconds(5).milliseconds == 5)
        #expect(Duration.microseconds(5001).milliseconds == 6)
        #expect(Duration.seconds(Int64.max).milliseconds > 1 << 60)
        #expect(Duration.zero.milliseconds == 0)
    }

    @Test("the daytime line has the form of RFC 867")
    func tellsDaytime() throws {
        var line = DaytimeLine()
        let text = String(decoding: line.bytes, as: UTF8.self)
        let form = /[A-Z][a-z]+day, [A-Z][a-z]+ \d\d, \d{4} \d\d:\d\d:\d\d-[A-Z+\-0-9]+\r\n/
        #expect(text.wholeMatch(of: form) != nil, "\(text)")
    }

    @Test("a date has the form of RFC 9110")
    func formatsDate() {
        #expect(formatHTTPDate(secondsSince1970: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(formatHTTPDate(secondsSince1970: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test("the process's use of the machine can be read")
    func readsUsage() throws {
        // Another test may raise the limit meanwhile.
        let before = try DescriptorLimit.soft()
        let usage = ProcessUsage.current()
        #expect(usage.processorTime > 0)
        #expect([before, try DescriptorLimit.soft()].contains(usage.descriptorLimit))
        #expect((3...usage.descriptorLimit).contains(try #require(usage.openDescriptors)))
    }

    @Test("the descriptor limit can be read")
    func readsLimit() throws {
        #expect(try DescriptorLimit.hard() > 0)
        #expect(try DescriptorLimit.soft() <= DescriptorLimit.hard())
    }
}
