#if OSPoll && Net
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("Poll")
struct PollTests {
    @Test("a wait with nothing registered ends without events, and not early")
    func timesOut() throws {
        var poll = try Poll()
        var events = Events(capacity: 4)
        let start = ContinuousClock.now
        try poll.poll(&events, timeout: .microseconds(2500))
        #expect(events.isEmpty)
        #expect(ContinuousClock.now - start >= .microseconds(2500))
    }

    @Test("a wait of no time reports what is pending")
    func looks() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        #expect(try pendingEvents(in: &poll).isEmpty)
        #expect(try pair.second.write([1].span) == 1)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(1)])
    }

    @Test(
        "a wait of any length is taken",
        arguments: [Duration.seconds(Int64.max), .seconds(1 << 40), .seconds(1 << 31)]
    )
    func clamps(timeout: Duration) throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }
        try waker.wake()
        var events = Events(capacity: 4)
        try poll.poll(&events, timeout: timeout)
        #expect(events.count == 1)
    }

    @Test("a wait until an instant reports what is pending even when the instant has passed")
    func deadlinePassed() throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }
        try waker.wake()
        var events = Events(capacity: 4)
        try poll.poll(&events, until: .now - .seconds(1))
        #expect(events.count == 1)
        let deadline = ContinuousClock.now + .milliseconds(2)
        try poll.poll(&events, until: deadline)
        #expect(events.isEmpty && ContinuousClock.now >= deadline)
    }

    #if OSExt && !PollSelector
    @Test("a poll's own descriptor is readable while it has events, so that polls nest")
    func nests() throws {
        var inner = try Poll()
        var outer = try Poll()
        let waker = try Waker(registry: inner.registry, token: Token(1))
        defer { withExtendedLifetime(waker) {} }
        try outer.registry.register(
            SourceFD(inner.fileDescriptor),
            token: Token(2),
            interest: .readable,
            mode: .level
        )
        #expect(try pendingEvents(in: &outer).isEmpty)
        try waker.wake()
        #expect(try expectEvents(1, from: &outer).map(\.token) == [Token(2)])
        #expect(try expectEvents(1, from: &inner).map(\.token) == [Token(1)])
        #expect(try pendingEvents(in: &outer).isEmpty)
    }
    #endif

    @Test(
        "no more events arrive than there is room for, and the rest comes with later polls",
        arguments: 1...5
    )
    func fillsEvents(capacity: Int) throws {
        var poll = try Poll()
        let wakers = try (0..<5).map { try Waker(registry: poll.registry, token: Token($0)) }
        defer { withExtendedLifetime(wakers) {} }
        for waker in wakers { try waker.wake() }
        var events = Events(capacity: capacity)
        var seen: [Int] = []
        while seen.count < 5 {
            try poll.poll(&events, timeout: .zero)
            try #require(events.count == min(capacity, 5 - seen.count))
            seen += events.map(\.token.rawValue)
        }
        #expect(seen.sorted() == [0, 1, 2, 3, 4])
    }

    #if PollSelector
    @Test("on poll(2) a poll has no descriptor of its own, and says so")
    func trapsOnDescriptor() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent])
        {
            _ = try Poll().fileDescriptor
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("a poll has no descriptor"))
    }
    #endif

    @Test("the descriptors of a poll are close-on-exec")
    func closesOnExec() async {
        // In a process where no other test opens any.
        await #expect(processExitsWith: .success) {
            let poll = try Poll()
            let waker = try Waker(registry: poll.registry, token: Token(0))
            let descriptors = eventDescriptors()
            #expect(descriptors.count >= 2)
            for number in descriptors { #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0) }
            withExtendedLifetime(waker) {}
        }
    }

    @Test("a source that is dropped without deregistering gives no events")
    func drops() throws {
        var poll = try Poll()
        do {
            let pair = try UnixStream.pair()
            try poll.registry.register(pair.first, token: Token(1), interest: .readable)
            #expect(try pair.second.write([1].span) == 1)
        }
        #expect(try pendingEvents(in: &poll).isEmpty)
    }
}

/// The open descriptors that are of epoll(7) or eventfd(2).
private func eventDescriptors() -> [CInt] {
    (0..<256).filter { number in
        let file = "/proc/self/fd/\(number)"
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: file)
        return link?.hasPrefix("anon_inode:[event") ?? false
    }
}

@Suite("Waker")
struct WakerTests {
    @Test("a wake-up from another thread ends the wait with the waker's token")
    func wakes() throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }

        onThread { try waker.wake() }

        let events = try expectEvents(1, from: &poll)
        #expect(events.map(\.token) == [Token(7)])
        #expect(events[0].isReadable)
    }

    @Test("wake-ups before a poll merge into one event, and later ones come anew")
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
}

#if OSExt
@Suite("Signals")
struct SignalSourceTests {
    @Test("a blocked signal is an event, and is read once")
    func reads() throws {
        var poll = try Poll()
        let signals = try SignalSource(blocking: [.user2])
        try poll.registry.register(signals, token: Token(3), interest: .readable)
        #expect(try signals.next() == nil)
        // To this thread alone: others of the test process have not blocked it.
        pthread_kill(pthread_self(), SIGUSR2)
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(3)])
        #expect(try signals.next() == .user2)
        #expect(try signals.next() == nil)
    }
}
#endif
#endif
