#if OSPoll && Net
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

/// `Slab`, `Budget` and `ReadyQueue` combined, as a server uses them.
@Suite("A fair edge-triggered loop")
struct EdgeLoopTests {
    @Test("sources that stop at their budget lose nothing, however busy the other sources are")
    func losesNothing() throws {
        var loop = try EdgeLoop(capacity: 8)
        // One source has much data, one has none, and the sizes of the others lie between.
        let sizes = [4 << 20, 0, 1, 70_000, 65_536, 1 << 20, 3, 300_000]
        let writers = try sizes.map { size in
            let writer = Held(try loop.add())
            return ConcurrentWork { try write(size, to: writer.value) }
        }
        while loop.ended < sizes.count { try loop.turn() }
        for writer in writers { try writer.join() }
        #expect(loop.received.sorted() == sizes.sorted())
        #expect(loop.mostPerTurn <= EdgeLoop.calls * EdgeLoop.room)
        #expect(loop.isIdle == true)
    }

    @Test("a quiet source is served between two turns of a busy one that is never drained")
    func isFair() throws {
        var loop = try EdgeLoop(capacity: 2)
        let loud = try loop.add()
        let quiet = try loop.add()
        let block = [UInt8](repeating: 0, count: 65_536)
        while try loud.write(block.span) != nil {}
        for count in 1...50 {
            // Each turn, the busy source has more data than one turn reads.
            while try loud.write(block.span) != nil {}
            #expect(try quiet.write([1].span) == 1)
            try loop.turn()
            #expect(loop.count(ofSource: 1) == count)
        }
        #expect(loop.count(ofSource: 0) == 50 * EdgeLoop.calls * EdgeLoop.room)
    }

    @Test("a stale event is ignored, although its slot has a new owner")
    func dropsLateEvents() throws {
        var poll = try Poll()
        var slab = Slab<Session>(capacity: 2)
        let pairs = try (0..<3).map { _ in Held(try ForeignPair()) }
        // An optimized build would release the pairs after their last use, which closes them.
        defer { withExtendedLifetime(pairs) {} }
        for number in 0..<2 {
            let key = try slab.add(Session(number: number))
            let pair = pairs[number]
            try poll.registry.register(pair.value.first, token: key.token, interest: .readable)
            try pair.value.second.send()
        }
        let events = try expectEvents(2, from: &poll)
        // The first source's handler removes the other, and stores a new one in its slot.
        let first = try #require(SlabKey(events[0].token))
        let late = try #require(SlabKey(events[1].token))
        #expect(slab.contains(first) == true)
        let number = slab[late].number
        try poll.registry.deregister(pairs[number].value.first)
        _ = slab.remove(late)
        let new = try slab.add(Session(number: 2))
        try poll.registry.register(pairs[2].value.first, token: new.token, interest: .readable)
        #expect(new.index == late.index)
        // The removed source's event is still in the batch, and its key matches no value.
        #expect(slab.contains(late) == false && slab.contains(new) == true)
        try pairs[2].value.second.send()
        #expect(try expectEvents(1, from: &poll).map { SlabKey($0.token) } == [new])
    }

    private struct Session: ~Copyable {
        let number: Int
    }
}

extension Slab where Element: ~Copyable {
    /// Stores a value; the slab must have room.
    fileprivate mutating func add(_ element: consuming Element) throws -> SlabKey {
        switch insert(element) {
        case .stored(let key): return key
        case .full: throw Errno.noMemory
        }
    }
}

/// Writes `count` bytes and then end of file, waiting for room as a blocking program would.
private func write(_ count: Int, to stream: borrowing UnixStream) throws {
    let block = [UInt8](repeating: 0x33, count: 65_536)
    var rest = count
    while rest > 0 {
        let part = block.span.extracting(first: min(rest, block.count))
        if let written = try stream.write(part) {
            rest -= written
        } else {
            try stream.fileDescriptor.wait(for: Int32(POLLOUT))
        }
    }
    try stream.shutdown(.write)
}

/// Stream readers that take turns.
private struct EdgeLoop: ~Copyable {
    static let calls = 4
    static let room = 4096

    /// How many sources have reached end of file.
    private(set) var ended = 0
    /// The most bytes that one source read in one turn.
    private(set) var mostPerTurn = 0
    /// How many bytes each source has read, in the order in which the sources were added.
    private(set) var received: [Int] = []
    private var poll: Poll
    private var events: Events
    private var slab: Slab<Reader>
    private var ready: ReadyQueue

    private struct Reader: ~Copyable {
        let stream: UnixStream
        let number: Int
    }

    init(capacity: Int) throws {
        let poll = try Poll()
        events = Events(capacity: 3)
        slab = Slab(capacity: capacity)
        ready = ReadyQueue(capacity: capacity)
        self.poll = poll
    }

    var isIdle: Bool { ready.isEmpty && slab.count == 0 }

    func count(ofSource number: Int) -> Int { received[number] }

    /// Adds a source and returns the end to write to.
    mutating func add() throws -> UnixStream {
        let pair = try UnixStream.pair()
        let number = received.count
        received.append(0)
        let key = try slab.add(Reader(stream: pair.first, number: number))
        try poll.registry.register(slab[key].stream, token: key.token, interest: .readable)
        return pair.second
    }

    /// Polls, waiting only if no source has data left, and serves each ready source once.
    mutating func turn() throws {
        try poll.poll(&events, timeout: ready.isEmpty ? patience : .zero)
        try #require(!events.isEmpty || !ready.isEmpty, "timed out")
        for event in events {
            if let key = SlabKey(event.token), slab.contains(key) { ready.append(key) }
        }
        for _ in 0..<ready.count {
            guard let key = ready.popFirst(), slab.contains(key) else { continue }
            try serve(key)
        }
    }

    private mutating func serve(_ key: SlabKey) throws {
        var budget = Budget(calls: Self.calls)
        var taken = 0
        var isAtEnd = false
        var isDrained = false
        var bytes: [UInt8] = []
        let number = slab[key].number
        while !budget.isSpent, !isDrained, !isAtEnd {
            var count: Int?
            bytes.removeAll(keepingCapacity: true)
            try bytes.append(addingCapacity: Self.room) { buffer in
                count = try slab[key].stream.read(into: &buffer)
            }
            budget.spend(bytes: count ?? 0)
            isDrained = count == nil
            isAtEnd = count == 0
            taken += count ?? 0
        }
        received[number] += taken
        mostPerTurn = max(mostPerTurn, taken)
        if isAtEnd {
            _ = slab.remove(key)
            ended += 1
        } else if !isDrained {
            ready.append(key)
        }
    }
}
#endif
