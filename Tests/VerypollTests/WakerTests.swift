#if OSPoll
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("Waker")
struct WakerTests {
    @Test("a wake-up from another thread ends the wait with the waker's token")
    func wakes() throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }

        onThread { try waker.wake() }

        let event = try expectEvent(Token(7), from: &poll)
        #expect(event.isReadable)
    }

    @Test("wake-ups before a poll merge into one event, and later ones cause a new event")
    func merges() throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }
        for _ in 0..<100 { try waker.wake() }
        #expect(try pendingEvents(in: &poll).count == 1)
        #expect(try pendingEvents(in: &poll).isEmpty)
        try waker.wake()
        #expect(try pendingEvents(in: &poll).count == 1)
    }

    @Test("a poll has any number of wakers, each with a token of its own")
    func isOneOfMany() throws {
        var poll = try Poll()
        let wakers = try (0..<100).map { try Waker(registry: poll.registry, token: Token($0)) }
        defer { withExtendedLifetime(wakers) {} }
        var events = Events(capacity: 128)
        for index in stride(from: 0, to: 100, by: 3) { try wakers[index].wake() }
        try poll.poll(&events, timeout: .zero)
        let tokens = Set(events.map(\.token.rawValue))
        #expect(tokens == Set(stride(from: 0, to: 100, by: 3)) && events.count == tokens.count)
    }

    @Test("concurrent wake-ups from several threads all arrive, merged or not")
    func servesThreads() throws {
        var poll = try Poll()
        let shared = try Waker(registry: poll.registry, token: Token(99))
        let own = try (0..<4).map { try Waker(registry: poll.registry, token: Token($0)) }
        defer { withExtendedLifetime((shared, own)) {} }
        let threads = own.map { waker in
            ConcurrentWork {
                for _ in 0..<1000 { try shared.wake() }
                try waker.wake()
            }
        }
        var seen: Set<Int> = []
        while !seen.isSuperset(of: [0, 1, 2, 3, 99]) {
            seen.formUnion(try expectEvents(1, from: &poll).map(\.token.rawValue))
        }
        for thread in threads { try thread.join() }
        // At most one event remains of all the wake-ups that were not seen yet.
        #expect(try pendingEvents(in: &poll).count <= 1)
        try shared.wake()
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(99)])
    }

    @Test("a closed waker's pending event is discarded")
    func takesEventAlong() async {
        // Outside an exit test, another test's child process holds copies of the descriptors until
        // it calls execve(2).
        await #expect(processExitsWith: .success) {
            var poll = try Poll()
            do {
                let waker = try Waker(registry: poll.registry, token: Token(7))
                try waker.wake()
            }
            #expect(try pendingEvents(in: &poll).isEmpty)
        }
    }

    @Test("a waker can be made through a clone of the registry as well")
    func comesFromClone() throws {
        var poll = try Poll()
        let clone = try poll.registry.clone()
        let waker = try Waker(registry: clone, token: Token(-5))
        defer { withExtendedLifetime(waker) {} }
        try waker.wake()
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(-5)])
    }
}
#endif
