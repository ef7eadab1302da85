#if OSPoll
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("Registry")
struct RegistryTests {
    @Test(
        "registering twice is `fileExists`, even with another token, interest and mode",
        arguments: [Token(1), Token(2)],
        [RegistrationMode.edge, .level, .oneShot]
    )
    func registersOnce(token: Token, mode: RegistrationMode) throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        for interest in [Interest.readable, .writable] {
            #expect(throws: Errno.fileExists) {
                try poll.registry.register(
                    pair.first,
                    token: token,
                    interest: interest,
                    mode: mode
                )
            }
        }
        // The first registration is still in effect.
        try pair.second.send()
        let event = try expectEvent(Token(1), from: &poll)
        #expect(event.isReadable && !event.isWritable)
    }

    @Test("reregistering or deregistering an unregistered source is `noSuchFileOrDirectory`")
    func needsRegistration() throws {
        let poll = try Poll()
        let pair = try ForeignPair()
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try poll.registry.reregister(pair.first, token: Token(2), interest: .writable)
        }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try poll.registry.deregister(pair.first)
        }
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try poll.registry.deregister(pair.first)
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try poll.registry.deregister(pair.first)
        }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try poll.registry.reregister(pair.first, token: Token(2), interest: .writable)
        }
    }

    @Test("reregistering changes token and interest, and reports readiness again")
    func reregisters() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try pair.second.send()
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(1)])
        try poll.registry.reregister(pair.first, token: Token(2), interest: [.readable, .writable])
        let both = try pendingEvents(in: &poll)
        #expect(both.map(\.token) == [Token(2)])
        #expect(both[0].isWritable && both[0].isReadable)
        try poll.registry.reregister(pair.first, token: Token(3), interest: .writable)
        let one = try pendingEvents(in: &poll)
        #expect(one.map(\.token) == [Token(3)])
        #expect(one[0].isWritable && !one[0].isReadable)
    }

    @Test("reregistering for an interest that is not ready causes no event")
    func narrows() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .writable)
        #expect(try pendingEvents(in: &poll).count == 1)
        try poll.registry.reregister(pair.first, token: Token(1), interest: .readable)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("no event arrives after deregistering, neither a pending nor a new one")
    func deregisters() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try pair.second.send()
        try poll.registry.deregister(pair.first)
        #expect(try pendingEvents(in: &poll).isEmpty)
        try pair.second.send()
        #expect(try pendingEvents(in: &poll).isEmpty)
        // The source can be registered again.
        try poll.registry.register(pair.first, token: Token(2), interest: .readable)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(2)])
    }

    @Test("a deregistered source causes no events, although a duplicate of it stays open")
    func leavesDuplicates() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        let duplicate = try pair.first.socket.duplicate()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try poll.registry.deregister(pair.first)
        try pair.second.send()
        #expect(try pendingEvents(in: &poll).isEmpty)
        withExtendedLifetime(duplicate.fileDescriptor) {}
    }

    @Test("a clone may outlive its poll; registering with it then succeeds without effect")
    func outlives() throws {
        func orphan() throws -> Registry {
            let poll = try Poll()
            return try poll.registry.clone()
        }
        let clone = try orphan()
        let pair = try ForeignPair()
        try clone.register(pair.first, token: Token(1), interest: .readable)
        try clone.deregister(pair.first)
    }

    @Test("a source that another thread registers while the poll waits is reported")
    func registersMeanwhile() throws {
        var poll = try Poll()
        let shared = Shared(registry: try poll.registry.clone(), pair: try ForeignPair())
        try shared.pair.second.send()
        // Each wait starts with nothing to report; most waits have begun before the registration.
        for turn in 0..<50 {
            onThread {
                try shared.registry.register(
                    shared.pair.first,
                    token: Token(turn),
                    interest: .readable
                )
            }
            #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(turn)])
            #expect(throws: Errno.fileExists) {
                try poll.registry.register(
                    shared.pair.first,
                    token: Token(5),
                    interest: .readable
                )
            }
            try poll.registry.deregister(shared.pair.first)
        }
    }

    @Test("a source that becomes ready after another thread registered it ends the wait as well")
    func becomesReadyMeanwhile() throws {
        var poll = try Poll()
        let shared = Shared(registry: try poll.registry.clone(), pair: try ForeignPair())
        onThread {
            try shared.registry.register(shared.pair.first, token: Token(4), interest: .readable)
            try shared.pair.second.send()
        }
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(4)])
    }

    @Test("several threads use one registry at once while the poll waits")
    func servesThreads() throws {
        var poll = try Poll()
        let registry = Shared(registry: try poll.registry.clone(), pair: try ForeignPair())
        let threads = (0..<4).map { number in
            ConcurrentWork { try use(registry.registry, token: Token(number)) }
        }
        // Each thread's last registration stays, and its source is ready.
        var last: [Int: Event] = [:]
        var events = Events(capacity: 16)
        while last.count < 4 {
            try poll.poll(&events, timeout: patience)
            try #require(!events.isEmpty, "timed out")
            for event in events where event.token.rawValue >= 100 {
                last[event.token.rawValue] = event
            }
        }
        let pairs = try threads.map { try $0.join() }
        #expect(Set(last.keys) == [100, 101, 102, 103])
        withExtendedLifetime(pairs) {}
    }

    final class Shared: Sendable {
        let registry: Registry
        let pair: ForeignPair

        init(registry: consuming Registry, pair: consuming ForeignPair) {
            self.registry = registry
            self.pair = pair
        }
    }
}

/// Registers, reregisters and deregisters its own pair again and again.
private func use(_ registry: borrowing Registry, token: Token) throws -> Held<ForeignPair> {
    let kept = Held(try ForeignPair())
    try kept.value.second.send()
    for _ in 0..<500 {
        try registry.register(kept.value.first, token: token, interest: .readable, mode: .level)
        try registry.reregister(kept.value.first, token: token, interest: [.readable, .writable])
        try registry.deregister(kept.value.first)
    }
    let last = Token(100 + token.rawValue)
    try registry.register(kept.value.first, token: last, interest: .readable)
    return kept
}
#endif
