#if OSPoll
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("Poll")
struct PollTests {
    @Test(
        "a wait with nothing registered ends without events, and never early",
        arguments: [
            Duration.nanoseconds(1), .nanoseconds(999), .microseconds(1), .nanoseconds(50_001),
            .microseconds(999), .milliseconds(1), .nanoseconds(1_000_001), .microseconds(2500),
        ]
    )
    func timesOut(timeout: Duration) throws {
        var poll = try Poll()
        var events = Events(capacity: 4)
        for _ in 0..<20 {
            let start = ContinuousClock.now
            try poll.poll(&events, timeout: timeout)
            #expect(ContinuousClock.now - start >= timeout)
            #expect(events.isEmpty)
        }
    }

    @Test(
        "a wait with a zero or negative timeout reports pending events",
        arguments: [Duration.zero, .nanoseconds(-1), .seconds(-10), .seconds(Int64.min)]
    )
    func looks(timeout: Duration) throws {
        var poll = try Poll()
        var events = Events(capacity: 4)
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try poll.poll(&events, timeout: timeout)
        #expect(events.isEmpty)
        try pair.second.send()
        try poll.poll(&events, timeout: timeout)
        #expect(events.map(\.token) == [Token(1)])
    }

    @Test(
        "a timeout of any length is accepted",
        arguments: [
            Duration.seconds(Int64.max), .seconds(1 << 40), .seconds(1 << 31),
            .seconds(Int64(Int32.max)) + .nanoseconds(999_999_999),
            .milliseconds(Int64(Int32.max) + 1),
        ]
    )
    func clamps(timeout: Duration) throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }
        var events = Events(capacity: 4)
        try waker.wake()
        try poll.poll(&events, timeout: timeout)
        #expect(events.count == 1)
        try waker.wake()
        try poll.poll(&events, until: ContinuousClock.now + .seconds(1 << 33))
        #expect(events.count == 1)
    }

    @Test("a wait without a timeout lasts until an event arrives")
    func waitsForEver() throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }
        onThread { try waker.wake() }
        var events = Events(capacity: 4)
        try poll.poll(&events)
        #expect(events.map(\.token) == [Token(7)])
    }

    @Test("a wait without a deadline lasts until an event arrives")
    func hasNoDeadline() throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }
        try whenAsleep { try waker.wake() }
        var events = Events(capacity: 4)
        let deadline: ContinuousClock.Instant? = nil
        try poll.poll(&events, until: deadline)
        #expect(events.map(\.token) == [Token(7)])
    }

    @Test("a wait until a past instant still reports pending events")
    func deadlinePassed() throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }
        try waker.wake()
        var events = Events(capacity: 4)
        try poll.poll(&events, until: .now - .seconds(1))
        #expect(events.count == 1)
        let deadline = ContinuousClock.now + .nanoseconds(2_000_001)
        try poll.poll(&events, until: deadline)
        #expect(events.isEmpty && ContinuousClock.now >= deadline)
    }

    @Test("a poll clears the events of the previous poll")
    func emptiesEvents() throws {
        var poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(7))
        defer { withExtendedLifetime(waker) {} }
        var events = Events(capacity: 4)
        try waker.wake()
        try poll.poll(&events, timeout: .zero)
        #expect(events.count == 1)
        try poll.poll(&events, timeout: .zero)
        #expect(events.isEmpty)
    }

    @Test(
        "at most as many events arrive as fit, and later polls report the rest",
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

    @Test("a source that is dropped without deregistering causes no events")
    func drops() async {
        // Outside an exit test, another test's child process holds copies of the descriptors until
        // it calls execve(2).
        await #expect(processExitsWith: .success) {
            var poll = try Poll()
            do {
                let pair = try ForeignPair()
                try poll.registry.register(pair.first, token: Token(1), interest: .readable)
                try pair.second.send()
            }
            #expect(try pendingEvents(in: &poll).isEmpty)
        }
    }

    @Test("a poll and its wakers close all their descriptors at the end of scope")
    func closesDescriptors() async {
        await #expect(processExitsWith: .success) {
            try expectNoLeak {
                var poll = try Poll()
                let clone = try poll.registry.clone()
                let waker = try Waker(registry: clone, token: Token(1))
                try waker.wake()
                #expect(try pendingEvents(in: &poll).count == 1)
            }
        }
    }

    @Test("polls are independent of each other, even with the same source")
    func sharesNothing() throws {
        var one = try Poll()
        var two = try Poll()
        let pair = try ForeignPair()
        try one.registry.register(pair.first, token: Token(1), interest: .readable)
        try two.registry.register(pair.first, token: Token(2), interest: .readable)
        try pair.second.send()
        #expect(try pendingEvents(in: &one).map(\.token) == [Token(1)])
        #expect(try pendingEvents(in: &two).map(\.token) == [Token(2)])
        try one.registry.deregister(pair.first)
        try pair.first.drain()
        try pair.second.send()
        #expect(try pendingEvents(in: &one).isEmpty)
        #expect(try pendingEvents(in: &two).map(\.token) == [Token(2)])
    }

    #if OSExt && !PollSelector
    @Test("a poll's descriptor is readable while it has events, so that polls nest")
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

    #if PollSelector
    @Test("the poll(2) selector has no descriptor, and says so")
    func trapsOnDescriptor() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent])
        {
            _ = try Poll().fileDescriptor
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("a poll has no descriptor"))
    }
    #endif

    @Test("busy polling is set and read back if supported, else fails with `notSupported`")
    func busyPolls() throws {
        let poll = try Poll()
        let asked = BusyPolling(duration: .nanoseconds(20_001), packetBudget: 16)
        guard try supportsBusyPolling(poll) else {
            #expect(!kernelHasBusyPolling)
            #expect(throws: Errno.notSupported) { try poll.setBusyPolling(asked) }
            return
        }
        #expect(try poll.busyPolling() == BusyPolling(duration: .zero, packetBudget: 0))
        try poll.setBusyPolling(asked)
        // The duration is rounded up to whole microseconds.
        var told = BusyPolling(duration: .microseconds(21), packetBudget: 16)
        #expect(try poll.busyPolling() == told)
        told.isPreferred = true
        try poll.setBusyPolling(told)
        #expect(try poll.busyPolling() == told)
    }
}

private func supportsBusyPolling(_ poll: borrowing Poll) throws(Errno) -> Bool {
    do throws(Errno) {
        _ = try poll.busyPolling()
        return true
    } catch .notSupported {
        return false
    }
}

/// Whether the kernel certainly has busy polling: built in, and Linux 6.9 or newer.
///
/// The file that shows it is hidden in a network namespace.
private var kernelHasBusyPolling: Bool {
    #if PollSelector
    return false
    #else
    let version = ProcessInfo.processInfo.operatingSystemVersion
    let isNew = (version.majorVersion, version.minorVersion) >= (6, 9)
    return isNew && FileManager.default.fileExists(atPath: "/proc/sys/net/core/busy_poll")
    #endif
}
#endif
