#if OSPoll && Net
import Foundation
import SystemPackage
import Testing
import Verypoll

/// Runs `body` on a thread of its own, for as long as the test goes on.
///
/// A poll blocks its thread. Were both ends of a test on the cooperative pool, which has one
/// thread per core, the blocked tests would keep the ones that wake them from running.
func onThread(_ body: @escaping @Sendable () throws -> Void) {
    Thread.detachNewThread {
        #expect(throws: Never.self) { try body() }
    }
}

/// Polls until `count` events have come, or 5 seconds have passed without one.
func expectEvents(
    _ count: Int,
    from poll: inout Poll,
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> [Event] {
    var events = Events(capacity: 16)
    var seen: [Event] = []
    while seen.count < count {
        try poll.poll(&events, timeout: .seconds(5))
        try #require(!events.isEmpty, "timed out", sourceLocation: sourceLocation)
        seen += events
    }
    return seen
}

/// What is pending now, without a wait.
func pendingEvents(in poll: inout Poll) throws -> [Event] {
    var events = Events(capacity: 16)
    try poll.poll(&events, timeout: .zero)
    return Array(events)
}

/// A connected pair of TCP sockets on the loopback interface.
struct TCPPair: ~Copyable {
    let client: TCPStream
    let server: TCPStream

    init(_ family: IPAddress.Family = .v4) throws {
        var poll = try Poll()
        let listener = try TCPListener(binding: .loopback(family, port: 0))
        try poll.registry.register(listener, token: Token(0), interest: .readable, mode: .level)
        let client = try TCPStream(connectingTo: listener.localAddress())
        try poll.registry.register(client, token: Token(1), interest: .writable)
        while try client.finishConnect() == .pending { _ = try expectEvents(1, from: &poll) }
        var accepted = try listener.accept()
        while accepted == nil {
            _ = try expectEvents(1, from: &poll)
            accepted = try listener.accept()
        }
        guard let accepted else { throw Errno.invalidArgument }
        try poll.registry.deregister(client)
        self.server = accepted.stream
        self.client = client
    }
}

extension [UInt8] {
    /// Appends what one read gives.
    mutating func append(from stream: borrowing some StreamSocket & ~Copyable) throws -> Int? {
        var count: Int?
        try append(addingCapacity: 4096) { output in
            count = try stream.read(into: &output)
        }
        return count
    }
}
#endif
