#if OSPoll && Net
import SystemPackage
import Testing
import Verypoll

@Suite("Registry")
struct RegistryTests {
    @Test("in edge mode a drained stream is reported again only once more bytes arrive")
    func edge() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        for size in [1, 4096] {
            let payload = [UInt8](repeating: 0xA5, count: size)
            #expect(try pair.second.write(payload.span) == size)
            #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(1)])
            #expect(try pendingEvents(in: &poll).isEmpty)
            var received: [UInt8] = []
            while try received.append(from: pair.first) != nil {}
            #expect(received == payload)
        }
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("in level mode a stream is reported until it is drained")
    func level() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable, mode: .level)
        #expect(try pair.second.write([1, 2].span) == 2)
        for _ in 0..<3 { #expect(try pendingEvents(in: &poll).count == 1) }
        var received: [UInt8] = []
        #expect(try received.append(from: pair.first) == 2)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test(
        "in the one-shot modes a stream is reported once, until it is reregistered",
        arguments: [RegistrationMode.oneShot, .edgeOneShot]
    )
    func oneShot(mode: RegistrationMode) throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable, mode: mode)
        #expect(try pair.second.write([1].span) == 1)
        #expect(try pendingEvents(in: &poll).count == 1)
        #expect(try pair.second.write([2].span) == 1)
        #expect(try pendingEvents(in: &poll).isEmpty)
        try poll.registry.reregister(pair.first, token: Token(9), interest: .readable, mode: mode)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(9)])
    }

    @Test("in exclusive mode a listener shared by polls is accepted from by each, level-triggered")
    func exclusive() throws {
        var one = try Poll()
        var two = try Poll()
        let listener = try TCPListener(binding: .loopback(port: 0))
        try one.registry.register(
            listener,
            token: Token(1),
            interest: .readable,
            mode: .exclusive
        )
        try two.registry.register(
            listener,
            token: Token(2),
            interest: .readable,
            mode: .exclusive
        )
        let client = try TCPStream(connectingTo: listener.localAddress())
        #expect(try expectEvents(1, from: &one).map(\.token) == [Token(1)])
        #expect(try pendingEvents(in: &two).map(\.token) == [Token(2)])
        #expect(try listener.accept() != nil)
        #expect(try pendingEvents(in: &one).isEmpty)
        #expect(throws: Errno.invalidArgument) {
            try one.registry.reregister(listener, token: Token(1), interest: .readable)
        }
        try one.registry.deregister(listener)
        withExtendedLifetime(client.fileDescriptor) {}
    }

    @Test("registering twice is `fileExists`, also with another token")
    func registersOnce() throws {
        let poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        #expect(throws: Errno.fileExists) {
            try poll.registry.register(pair.first, token: Token(2), interest: .writable)
        }
    }

    @Test("reregistering and deregistering what is not registered is `noSuchFileOrDirectory`")
    func needsRegistration() throws {
        let poll = try Poll()
        let pair = try UnixStream.pair()
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try poll.registry.reregister(pair.first, token: Token(2), interest: .writable)
        }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try poll.registry.deregister(pair.first)
        }
    }

    @Test("reregistering changes token and interest, and reports again what is ready")
    func reregisters() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        #expect(try pendingEvents(in: &poll).isEmpty)
        try poll.registry.reregister(pair.first, token: Token(2), interest: [.readable, .writable])
        let events = try pendingEvents(in: &poll)
        #expect(events.map(\.token) == [Token(2)])
        #expect(events[0].isWritable && !events[0].isReadable)
    }

    @Test("no events come after deregistering")
    func deregisters() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try poll.registry.deregister(pair.first)
        #expect(try pair.second.write([1].span) == 1)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("a clone registers with the same poll, from a thread and while it waits")
    func clones() throws {
        var poll = try Poll()
        let clone = try poll.registry.clone()
        let pair = try UnixStream.pair()
        let shared = Shared(registry: clone, stream: pair.first)
        #expect(try pair.second.write([1].span) == 1)
        onThread {
            try shared.registry.register(shared.stream, token: Token(4), interest: .readable)
        }
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(4)])
        #expect(throws: Errno.fileExists) {
            try poll.registry.register(shared.stream, token: Token(5), interest: .readable)
        }
    }

    @Test("an error of a source's own registration reaches the caller")
    func forwards() throws {
        let poll = try Poll()
        #expect(throws: Errno.timedOut) {
            try poll.registry.register(Refusing(), token: Token(0), interest: .readable)
        }
    }

    @Test("an empty interest traps")
    func trapsOnEmptyInterest() async {
        await #expect(processExitsWith: .failure) {
            let poll = try Poll()
            let pair = try UnixStream.pair()
            try poll.registry.register(pair.first, token: Token(1), interest: [])
        }
    }

    final class Shared: Sendable {
        let registry: Registry
        let stream: UnixStream

        init(registry: consuming Registry, stream: consuming UnixStream) {
            self.registry = registry
            self.stream = stream
        }
    }

    struct Refusing: Source {
        func register(
            with registry: borrowing Registry,
            token: Token,
            interest: Interest,
            mode: RegistrationMode
        ) throws(Errno) { throw .timedOut }

        func reregister(
            with registry: borrowing Registry,
            token: Token,
            interest: Interest,
            mode: RegistrationMode
        ) throws(Errno) { throw .timedOut }

        func deregister(from registry: borrowing Registry) throws(Errno) { throw .timedOut }
    }
}
#endif
