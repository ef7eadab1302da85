#if OSPoll
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("Event and Events")
struct EventTests {
    @Test("events are a random-access collection; removeAll empties it and keeps its capacity")
    func collects() throws {
        var poll = try Poll()
        let wakers = try (0..<3).map { try Waker(registry: poll.registry, token: Token($0)) }
        defer { withExtendedLifetime(wakers) {} }
        var events = Events(capacity: 5)
        #expect(events.capacity == 5 && events.isEmpty)
        for waker in wakers { try waker.wake() }
        try poll.poll(&events, timeout: .zero)
        #expect(events.count == 3 && !events.isEmpty && events.capacity == 5)
        #expect(events.indices == 0..<3)
        #expect(Set(events.map(\.token.rawValue)) == [0, 1, 2])
        #expect(events.reversed().map(\.token) == events.map(\.token).reversed())
        #expect(events.last?.token == events[2].token)
        #expect(events.description.contains(": in, "))
        events.removeAll()
        #expect(events.isEmpty && events.capacity == 5 && events.description == "[]")
    }

    @Test("a capacity that is not positive, or larger than the kernel's limit, traps")
    func limitsCapacity() async {
        for capacity in [0, -1, .min] {
            let result = await #expect(
                processExitsWith: .failure,
                observing: [\.standardErrorContent]
            ) { [capacity = capacity as Int] in
                _ = Events(capacity: capacity)
            }
            expectMessage("the capacity for events must be positive", of: result)
        }
        for capacity in [Int.max, Int(Int32.max), 178_956_971] {
            let result = await #expect(
                processExitsWith: .failure,
                observing: [\.standardErrorContent]
            ) { [capacity = capacity as Int] in
                _ = Events(capacity: capacity)
            }
            expectMessage("the capacity for events exceeds 1", of: result)
        }
    }

    @Test("an event carries any token", arguments: [0, 1, -1, .max, .min, 1 << 32, 0xFFFF_FFFF])
    func carriesTokens(number: Int) throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(number), interest: .writable)
        #expect(try pendingEvents(in: &poll).map(\.token.rawValue) == [number])
    }

    @Test("a readable event has the readable flag, and prints it")
    func isReadable() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(7), interest: .readable)
        try pair.second.send()
        let event = try expectEvent(Token(7), from: &poll)
        #expect(event.isReadable && !event.isWritable && !event.isPriority)
        #expect(!event.isError && !event.isReadClosed && !event.isWriteClosed)
        #expect(!event.isAIO && !event.isLIO)
        #expect(event.rawMask == 1)
        #expect(event.description == "7: in")
    }

    @Test("a writable event has the writable flag, and prints it")
    func isWritable() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(-7), interest: [.writable, .readable])
        let event = try expectEvent(Token(-7), from: &poll)
        #expect(event.isWritable && !event.isReadable && event.rawMask == 4)
        #expect(event.description == "-7: out")
    }

    @Test("the event of a closed peer prints all its flags")
    func describes() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(0), interest: [.readable, .writable])
        try #require(shutdown(pair.second.fileDescriptor.rawValue, Int32(SHUT_RDWR)) == 0)
        let event = try expectEvent(Token(0), from: &poll)
        #expect(event.isReadClosed && event.isWriteClosed)
        #expect(event.description == "0: in|out|hup|rdhup")
    }
}
#endif
