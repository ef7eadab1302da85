#if OSPoll && Net
import Synchronization
import Glibc
import SystemPackage
import Testing
import Verypoll

/// Behavior that epoll(7) provides and that the library adds to poll(2).
@Suite("Readiness")
struct ReadinessTests {
    @Test("a stream drained by a short read is reported again, without a read of nil")
    func drainsShort() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        var received: [UInt8] = []
        for count in 1...3 {
            #expect(try pair.second.write([7].span) == 1)
            #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(1)])
            #expect(try received.append(from: pair.first) == 1)
            #expect(received.count == count)
        }
    }

    @Test("a stream filled by a write is reported once its peer has made room")
    func fills() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .writable)
        let block = [UInt8](repeating: 0, count: 65536)
        for _ in 0..<2 {
            #expect(try expectEvents(1, from: &poll).allSatisfy { $0.isWritable })
            while try pair.first.write(block.span) != nil {}
            #expect(try pendingEvents(in: &poll).isEmpty)
            var received: [UInt8] = []
            while try received.append(from: pair.second) != nil {}
        }
    }

    @Test("a new readiness is reported together with an earlier one of the same source")
    func addsReadiness() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: [.readable, .writable])
        let first = try expectEvents(1, from: &poll)
        #expect(first[0].isWritable && !first[0].isReadable)
        #expect(try pair.second.write([7].span) == 1)
        let second = try expectEvents(1, from: &poll)
        #expect(second[0].isWritable && second[0].isReadable && !second[0].isReadClosed)
        try pair.second.shutdown(.write)
        let third = try expectEvents(1, from: &poll)
        #expect(third[0].isReadable && third[0].isReadClosed && !third[0].isWriteClosed)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test(
        "in edge mode a hang-up is reported once, even after end of file was read",
        arguments: [Interest.readable, .writable, .priority]
    )
    func hangsUp(interest: Interest) throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        // close(2) would take effect only once a child forked by another test has called execve(2).
        try pair.second.shutdown(.both)
        try poll.registry.register(pair.first, token: Token(1), interest: interest)
        let events = try expectEvents(1, from: &poll)
        #expect(events[0].isReadClosed && events[0].isWriteClosed)
        var received: [UInt8] = []
        for _ in 0..<2 {
            #expect(try pendingEvents(in: &poll).isEmpty)
            #expect(try received.append(from: pair.first) == 0)
        }
        #expect(throws: Errno.brokenPipe) { _ = try pair.first.write([1].span) }
        #expect(try pendingEvents(in: &poll).isEmpty)
        try poll.registry.reregister(pair.first, token: Token(2), interest: interest)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(2)])
    }

    @Test("a reset is reported once, even after its error was read")
    func resets() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        let server = pair.server
        pair.client.reset()
        try server.fileDescriptor.waitForEnd()
        // The kernel reports a reset in two parts and holds the socket's lock meanwhile; this call
        // waits for the lock.
        try server.fileDescriptor.wait(forUnread: 0)
        try poll.registry.register(server, token: Token(1), interest: .readable)
        let events = try expectEvents(1, from: &poll)
        #expect(events[0].isError && events[0].isReadClosed && events[0].isWriteClosed)
        #expect(try pendingEvents(in: &poll).isEmpty)
        var received: [UInt8] = []
        #expect(throws: Errno.connectionReset) { _ = try received.append(from: server) }
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("a socket is reported again after its error was taken by any call")
    func forgetsErrors() throws {
        for taker in ErrorTaker.allCases {
            var poll = try Poll()
            let nobody = try UDPSocket(binding: .loopback(port: 0))
            // A socket connected to itself rejects datagrams from others, so its port counts as
            // unused.
            try nobody.connect(to: nobody.localAddress())
            let peer = try UDPSocket(binding: .loopback(port: 0))
            let socket = try UDPSocket(binding: .loopback(port: 0))
            try poll.registry.register(socket, token: Token(1), interest: .readable)
            for _ in 0..<2 {
                try socket.connect(to: nobody.localAddress())
                _ = try socket.send([1].span)
                #expect(try expectEvents(1, from: &poll).allSatisfy { $0.isError })
                #expect(try pendingEvents(in: &poll).isEmpty)
                #expect(throws: Errno.connectionRefused) { try taker.takeError(of: socket) }
                #expect(try pendingEvents(in: &poll).isEmpty)
            }
            try socket.connect(to: peer.localAddress())
            _ = try peer.send([2].span, to: socket.localAddress())
            let events = try expectEvents(1, from: &poll)
            #expect(events[0].isReadable && !events[0].isError)
        }
    }

    /// The calls that take a pending error from a socket.
    enum ErrorTaker: CaseIterable {
        case receiving, sending, asking, borrowing

        func takeError(of socket: borrowing UDPSocket) throws {
            switch self {
            case .receiving:
                var bytes: [UInt8] = []
                try bytes.append(addingCapacity: 16) { output in
                    _ = try socket.receiveFrom(into: &output)
                }
            case .sending:
                _ = try socket.send([1].span)
            case .asking:
                if let error = try socket.takeError() { throw error }
            case .borrowing:
                _ = try socket.withDescriptor { descriptor throws(Errno) in
                    guard recv(descriptor.rawValue, nil, 0, 0) < 0 else { return }
                    throw Errno(rawValue: errno)
                }
            }
        }
    }

    @Test(
        "with room for one event, each ready source is reported in turn",
        arguments: [RegistrationMode.edge, .level]
    )
    func takesTurns(mode: RegistrationMode) throws {
        var poll = try Poll()
        let pairs = try (0..<5).map { _ in try Held(UnixStream.pair()) }
        // An optimized build would release the pairs after their last use, which closes them.
        defer { withExtendedLifetime(pairs) {} }
        for (number, pair) in pairs.enumerated() {
            let token = Token(number)
            try poll.registry.register(
                pair.value.first,
                token: token,
                interest: .writable,
                mode: mode
            )
        }
        var events = Events(capacity: 1)
        var seen: Set<Token> = []
        for _ in pairs {
            try poll.poll(&events, timeout: .zero)
            seen.formUnion(events.map(\.token))
        }
        #expect(seen.count == 5)
        try poll.poll(&events, timeout: .zero)
        #expect(events.isEmpty == (mode == .edge))
    }

    @Test("a descriptor number reused after its source was dropped is a new source")
    func reusesNumbers() async {
        // Run in a process that does not fork: with epoll(7), a closed descriptor stays registered
        // while a child still has a copy.
        await #expect(processExitsWith: .success) {
            var poll = try Poll()
            for number in 0..<3 {
                let pair = try UnixStream.pair()
                let (token, other) = (Token(number), Token(10 + number))
                try poll.registry.register(pair.first, token: token, interest: .writable)
                try poll.registry.register(pair.second, token: other, interest: .readable)
                #expect(try pendingEvents(in: &poll).map(\.token) == [token])
            }
            #expect(try pendingEvents(in: &poll).isEmpty)
        }
    }
}

@Suite("Changes while a poll waits")
struct WaitingTests {
    @Test("a source registered by another thread is reported")
    func seesRegistration() throws {
        var poll = try Poll()
        let registry = try Held(poll.registry.clone())
        let pair = try Held(UnixStream.pair())
        try whenAsleep {
            try registry.value.register(pair.value.first, token: Token(1), interest: .writable)
        }
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(1)])
    }

    @Test("a source reregistered by another thread is reported")
    func seesReregistration() throws {
        var poll = try Poll()
        let registry = try Held(poll.registry.clone())
        let pair = try Held(UnixStream.pair())
        try poll.registry.register(pair.value.first, token: Token(1), interest: .readable)
        try whenAsleep {
            try registry.value.reregister(pair.value.first, token: Token(2), interest: .writable)
        }
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(2)])
    }

    @Test("a stream drained by another thread is reported once more bytes arrive")
    func seesDrain() throws {
        var poll = try Poll()
        let pair = try Held(UnixStream.pair())
        try poll.registry.register(pair.value.first, token: Token(1), interest: .readable)
        #expect(try pair.value.second.write([1].span) == 1)
        #expect(try expectEvents(1, from: &poll).count == 1)
        try whenAsleep {
            var received: [UInt8] = []
            while try received.append(from: pair.value.first) != nil {}
            #expect(received == [1])
            #expect(try pair.value.second.write([2].span) == 1)
        }
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(1)])
    }

    @Test("a stream dropped by another thread is closed for its peer")
    func closes() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        let waker = try Waker(registry: poll.registry, token: Token(2))
        let (first, second) = (Slot(pair.first), Held(pair.second))
        try whenAsleep {
            first.empty()
            var peer = try Poll()
            try peer.registry.register(second.value, token: Token(3), interest: .readable)
            #expect(try expectEvents(1, from: &peer).allSatisfy { $0.isReadClosed })
            try waker.wake()
        }
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(2)])
        withExtendedLifetime(waker) {}
    }
}

/// A stream that any thread may drop.
private final class Slot: Sendable {
    private let stream: Mutex<UnixStream?>

    init(_ stream: consuming UnixStream) {
        self.stream = Mutex(stream)
    }

    func empty() {
        stream.withLock { $0 = nil }
    }
}
#endif
