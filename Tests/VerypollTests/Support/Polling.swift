#if OSPoll
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

/// Polls until `count` events have arrived, or a long time passes without one.
func expectEvents(
    _ count: Int,
    from poll: inout Poll,
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> [Event] {
    var events = Events(capacity: 16)
    var seen: [Event] = []
    while seen.count < count {
        try poll.poll(&events, timeout: patience)
        try #require(!events.isEmpty, "timed out", sourceLocation: sourceLocation)
        seen += events
    }
    return seen
}

/// Polls until one event with a token has arrived, and returns it.
func expectEvent(
    _ token: Token,
    from poll: inout Poll,
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> Event {
    let events = try expectEvents(1, from: &poll, sourceLocation: sourceLocation)
    try #require(events.map(\.token) == [token], sourceLocation: sourceLocation)
    return events[0]
}

/// Returns the events that are pending now, without waiting.
func pendingEvents(in poll: inout Poll) throws -> [Event] {
    var events = Events(capacity: 16)
    try poll.poll(&events, timeout: .zero)
    return Array(events)
}

/// For the bodies of exit tests, which are asynchronous, so the compiler warns of polls in them.
///
/// The process of an exit test runs nothing else.
extension Poll {
    mutating func block(_ events: inout Events, timeout: Duration? = nil) throws(Errno) {
        try poll(&events, timeout: timeout)
    }

    mutating func block(
        _ events: inout Events,
        until deadline: ContinuousClock.Instant
    ) throws(Errno) {
        try poll(&events, until: deadline)
    }
}

/// A source of the test's own: a socket of which the library knows only the descriptor.
struct ForeignSource: ~Copyable, DescriptorSource, Sendable {
    let socket: OwnedFD

    var fileDescriptor: FileDescriptor { socket.fileDescriptor }

    /// Sends `count` bytes.
    func send(_ count: Int = 1) throws {
        let bytes = [UInt8](repeating: 0xA5, count: count)
        let sent = unsafe Glibc.send(fileDescriptor.rawValue, bytes, count, Int32(MSG_NOSIGNAL))
        try #require(sent == count)
    }

    /// Receives up to `limit` bytes without waiting and returns their number, or `nil` if there are
    /// none.
    func receive(atMost limit: Int = 65_536) throws -> Int? {
        try withDescriptor { descriptor throws(Errno) in
            var bytes = [UInt8](repeating: 0, count: limit)
            let count = unsafe recv(descriptor.rawValue, &bytes, limit, 0)
            if count < 0 { throw Errno(rawValue: errno) }
            return count
        }
    }

    /// Receives until nothing is left, and returns the total number of bytes.
    @discardableResult
    func drain() throws -> Int {
        var total = 0
        while let count = try receive(), count > 0 { total += count }
        return total
    }

    /// Sends until the buffer is full.
    func fill() throws {
        let bytes = [UInt8](repeating: 0x5A, count: 4096)
        let send = { (descriptor: FileDescriptor) throws(Errno) in
            let flags = Int32(MSG_NOSIGNAL)
            let count = unsafe Glibc.send(descriptor.rawValue, bytes, bytes.count, flags)
            if count < 0 { throw Errno(rawValue: errno) }
        }
        while try withDescriptor(send) != nil {}
    }
}

/// Two sockets connected to each other.
struct ForeignPair: ~Copyable {
    let first: ForeignSource
    let second: ForeignSource

    init() throws {
        var pair: [Int32] = [-1, -1]
        let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let type = Int32(SOCK_STREAM.rawValue | flags)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &pair) == 0)
        first = ForeignSource(socket: OwnedFD(adopting: FileDescriptor(rawValue: pair[0])))
        second = ForeignSource(socket: OwnedFD(adopting: FileDescriptor(rawValue: pair[1])))
    }
}
#endif
