#if OSPoll
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("RegistrationMode")
struct RegistrationModeTests {
    @Test("in edge mode a drained source is reported again only once more bytes arrive")
    func edge() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        for size in [1, 4096, 1] {
            try pair.second.send(size)
            #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(1)])
            #expect(try pendingEvents(in: &poll).isEmpty)
            #expect(try pair.first.drain() == size)
            #expect(try pendingEvents(in: &poll).isEmpty)
        }
    }

    @Test("in edge mode a source is not reported again while it is not drained")
    func edgeOfHalf() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try pair.second.send(10)
        #expect(try expectEvents(1, from: &poll).count == 1)
        #expect(try pair.first.receive(atMost: 5) == 5)
        #expect(try pendingEvents(in: &poll).isEmpty)
        // No event is lost: reregistering reports the remaining bytes.
        try poll.registry.reregister(pair.first, token: Token(2), interest: .readable)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(2)])
        #expect(try pair.first.drain() == 5)
    }

    @Test("in edge mode a full source is writable again once the peer has read")
    func writableEdge() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .writable)
        #expect(try expectEvents(1, from: &poll)[0].isWritable)
        try pair.first.fill()
        #expect(try pendingEvents(in: &poll).isEmpty)
        try pair.second.drain()
        #expect(try expectEvents(1, from: &poll)[0].isWritable)
    }

    @Test("in level mode a source is reported until it is drained")
    func level() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable, mode: .level)
        try pair.second.send(2)
        for _ in 0..<3 { #expect(try pendingEvents(in: &poll).count == 1) }
        #expect(try pair.first.receive(atMost: 1) == 1)
        #expect(try pendingEvents(in: &poll).count == 1)
        #expect(try pair.first.receive(atMost: 1) == 1)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test(
        "in one-shot modes a source is reported once until it is reregistered",
        arguments: [RegistrationMode.oneShot, .edgeOneShot]
    )
    func oneShot(mode: RegistrationMode) throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable, mode: mode)
        try pair.second.send()
        #expect(try pendingEvents(in: &poll).count == 1)
        try pair.second.send()
        #expect(try pendingEvents(in: &poll).isEmpty)
        try pair.first.drain()
        try pair.second.send()
        #expect(try pendingEvents(in: &poll).isEmpty)
        try poll.registry.reregister(pair.first, token: Token(9), interest: .readable, mode: mode)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(9)])
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("a source reported in a one-shot mode stays registered")
    func oneShotStays() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .writable, mode: .oneShot)
        #expect(try pendingEvents(in: &poll).count == 1)
        #expect(throws: Errno.fileExists) {
            try poll.registry.register(pair.first, token: Token(1), interest: .writable)
        }
        try poll.registry.deregister(pair.first)
    }

    @Test(
        "reregistering changes the mode",
        arguments: [RegistrationMode.edge, .level, .oneShot, .edgeOneShot],
        [RegistrationMode.edge, .level, .oneShot, .edgeOneShot]
    )
    func changes(old: RegistrationMode, new: RegistrationMode) throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable, mode: old)
        try pair.second.send()
        #expect(try pendingEvents(in: &poll).count == 1)
        try poll.registry.reregister(pair.first, token: Token(2), interest: .readable, mode: new)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(2)])
        #expect(try pendingEvents(in: &poll).isEmpty == (new != .level))
    }

    @Test("an exclusive source shared by polls is level-triggered for each poll that checks it")
    func exclusive() throws {
        var one = try Poll()
        var two = try Poll()
        let pair = try ForeignPair()
        try one.registry.register(
            pair.first,
            token: Token(1),
            interest: .readable,
            mode: .exclusive
        )
        try two.registry.register(
            pair.first,
            token: Token(2),
            interest: .readable,
            mode: .exclusive
        )
        try pair.second.send()
        #expect(try expectEvents(1, from: &one).map(\.token) == [Token(1)])
        #expect(try pendingEvents(in: &one).map(\.token) == [Token(1)])
        #expect(try pendingEvents(in: &two).map(\.token) == [Token(2)])
        try pair.first.drain()
        #expect(try pendingEvents(in: &one).isEmpty)
        #expect(try pendingEvents(in: &two).isEmpty)
    }

    @Test("an exclusive source wakes at least one of the polls that wait for it")
    func exclusiveWakes() throws {
        let shared = Held(try ForeignPair())
        let end = Held(try ForeignPair())
        let taken = Counter()
        let waiting = (0..<3).map { _ in
            ConcurrentWork {
                var poll = try Poll()
                try poll.registry.register(
                    shared.value.first,
                    token: Token(0),
                    interest: .readable,
                    mode: .exclusive
                )
                try poll.registry.register(
                    end.value.first,
                    token: Token(1),
                    interest: .readable,
                    mode: .level
                )
                while true {
                    let tokens = try expectEvents(1, from: &poll).map(\.token)
                    if try shared.value.first.receive() != nil { taken.add(1) }
                    if tokens.contains(Token(1)) { return }
                }
            }
        }
        for count in 1...10 {
            try shared.value.second.send()
            try eventually("every byte to be read") { taken.value == count }
        }
        try end.value.second.send()
        for thread in waiting { try thread.join() }
        #expect(taken.value == 10)
    }

    @Test("an exclusive source can't be reregistered, but can be deregistered and registered again")
    func exclusiveStays() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(
            pair.first,
            token: Token(1),
            interest: .readable,
            mode: .exclusive
        )
        #expect(throws: Errno.invalidArgument) {
            try poll.registry.reregister(pair.first, token: Token(1), interest: .readable)
        }
        try poll.registry.deregister(pair.first)
        try poll.registry.register(pair.first, token: Token(2), interest: .writable)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(2)])
    }

    @Test("reregistering in exclusive mode traps")
    func trapsOnExclusiveAgain() async {
        await #expect(processExitsWith: .failure) {
            let poll = try Poll()
            let pair = try ForeignPair()
            try poll.registry.register(pair.first, token: Token(1), interest: .readable)
            survives {
                try poll.registry.reregister(
                    pair.first,
                    token: Token(1),
                    interest: .readable,
                    mode: .exclusive
                )
            }
        }
    }

    @Test("priority in exclusive mode traps")
    func trapsOnExclusivePriority() async {
        await #expect(processExitsWith: .failure) {
            let poll = try Poll()
            let pair = try ForeignPair()
            survives {
                try poll.registry.register(
                    pair.first,
                    token: Token(1),
                    interest: [.readable, .priority],
                    mode: .exclusive
                )
            }
        }
    }

    @Test("an empty interest traps, on registering and on reregistering")
    func trapsOnEmptyInterest() async {
        await #expect(processExitsWith: .failure) {
            let poll = try Poll()
            let pair = try ForeignPair()
            survives { try poll.registry.register(pair.first, token: Token(1), interest: []) }
        }
        await #expect(processExitsWith: .failure) {
            let poll = try Poll()
            let pair = try ForeignPair()
            try poll.registry.register(pair.first, token: Token(1), interest: .readable)
            survives { try poll.registry.reregister(pair.first, token: Token(1), interest: []) }
        }
    }
}
#endif
