#if OSPoll
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("Source and DescriptorSource")
struct SourceTests {
    @Test("a type that wraps a source becomes one by forwarding to it")
    func forwards() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        let session = Session(socket: pair.first)
        try poll.registry.register(session, token: Token(1), interest: .readable, mode: .level)
        #expect(try pendingEvents(in: &poll).isEmpty)
        try poll.registry.reregister(session, token: Token(2), interest: .writable, mode: .level)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(2)])
        #expect(throws: Errno.fileExists) {
            try poll.registry.register(session, token: Token(3), interest: .readable)
        }
        try poll.registry.deregister(session)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("errors from a source's own three methods reach the caller")
    func refuses() throws {
        let poll = try Poll()
        #expect(throws: Errno.timedOut) {
            try poll.registry.register(Refusing(), token: Token(0), interest: .readable)
        }
        #expect(throws: Errno.resourceBusy) {
            try poll.registry.reregister(Refusing(), token: Token(0), interest: .readable)
        }
        #expect(throws: Errno.deadlock) { try poll.registry.deregister(Refusing()) }
    }

    @Test("generic code accepts copyable and noncopyable sources")
    func isGeneric() throws {
        func watch(_ source: borrowing some Source & ~Copyable, in poll: inout Poll) throws -> Int {
            try poll.registry.register(source, token: Token(1), interest: .writable)
            defer { try? poll.registry.deregister(source) }
            return try pendingEvents(in: &poll).count
        }
        var poll = try Poll()
        let pair = try ForeignPair()
        #expect(try watch(pair.first, in: &poll) == 1)
        #expect(try watch(Borrowed(fileDescriptor: pair.first.fileDescriptor), in: &poll) == 1)
    }

    @Test("withDescriptor lends the descriptor to a call, and returns nil if the call would block")
    func lends() throws {
        let pair = try ForeignPair()
        #expect(try pair.first.receive() == nil)
        try pair.second.send(3)
        #expect(try pair.first.receive() == 3)
        #expect(try pair.first.withDescriptor { $0 } == pair.first.fileDescriptor)
        // Noncopyable values can be returned as well.
        let duplicate = try pair.first.withDescriptor { descriptor throws(Errno) in
            OwnedFD(adopting: try dup(descriptor))
        }
        #expect((duplicate != nil) == true)
    }

    @Test("withDescriptor rethrows every error except would-block")
    func passesErrors() throws {
        let pair = try ForeignPair()
        for error in [Errno.brokenPipe, .interrupted, .nowInProgress] {
            #expect(throws: error) {
                _ = try pair.first.withDescriptor { _ throws(Errno) -> Int in throw error }
            }
        }
        #expect(
            try pair.first.withDescriptor { _ throws(Errno) -> Int in throw .wouldBlock } == nil
        )
    }

    @Test("withDescriptor drains like the library's own calls: the next bytes are a new edge")
    func drains() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        for _ in 0..<3 {
            try pair.second.send()
            #expect(try expectEvents(1, from: &poll).count == 1)
            #expect(try pair.first.drain() == 1)
        }
    }

    /// A user's type that contains a source, such as a connection with its state.
    struct Session: Source {
        let socket: Borrowed

        init(socket: borrowing ForeignSource) {
            self.socket = Borrowed(fileDescriptor: socket.fileDescriptor)
        }

        func register(
            with registry: borrowing Registry,
            token: Token,
            interest: Interest,
            mode: RegistrationMode
        ) throws(Errno) {
            try socket.register(with: registry, token: token, interest: interest, mode: mode)
        }

        func reregister(
            with registry: borrowing Registry,
            token: Token,
            interest: Interest,
            mode: RegistrationMode
        ) throws(Errno) {
            try socket.reregister(with: registry, token: token, interest: interest, mode: mode)
        }

        func deregister(from registry: borrowing Registry) throws(Errno) {
            try socket.deregister(from: registry)
        }
    }

    /// A source that does not own its descriptor.
    struct Borrowed: DescriptorSource {
        let fileDescriptor: FileDescriptor
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
        ) throws(Errno) { throw .resourceBusy }

        func deregister(from registry: borrowing Registry) throws(Errno) { throw .deadlock }
    }
}

/// Glibc's dup(2), with a typed error.
private func dup(_ descriptor: FileDescriptor) throws(Errno) -> FileDescriptor {
    let copy = fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, 0)
    if copy < 0 { throw Errno(rawValue: errno) }
    return FileDescriptor(rawValue: copy)
}
#endif
