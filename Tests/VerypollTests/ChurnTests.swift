#if OSPoll && Net
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("Short-lived connections")
struct ChurnTests {
    /// Set `VERYPOLL_CHURN` to the number of rounds where the default is too small.
    @Test("connecting and closing many times leaks no descriptor and leaves no event")
    func leaksNothing() async {
        await #expect(processExitsWith: .success) {
            let text = ProcessInfo.processInfo.environment["VERYPOLL_CHURN"]
            let rounds = text.flatMap { Int($0) } ?? 2000
            var churn = try Churn()
            // The test runner opens a few descriptors of its own at the start.
            for _ in 0..<10 { try churn.turn() }
            let before = try openDescriptors().count
            for _ in 0..<rounds { try churn.turn() }
            let after = try openDescriptors().count
            #expect(after - before < 10, "\(after - before) more after \(rounds) rounds")
            #expect(try pendingEvents(in: &churn.poll).isEmpty)
        }
    }
}

/// A TCP and a Unix-domain server, with clients that connect one after the other.
private struct Churn: ~Copyable {
    var poll: Poll
    private let listener: TCPListener
    private let unixListener: UnixListener
    private let address: SocketAddress
    private let unixAddress: UnixAddress

    init() throws {
        let poll = try Poll()
        let listener = try TCPListener(binding: .loopback(port: 0))
        let unixAddress = UnixAddress.unique()
        let unixListener = try UnixListener(binding: unixAddress)
        try poll.registry.register(listener, token: Token(0), interest: .readable)
        try poll.registry.register(unixListener, token: Token(1), interest: .readable)
        self.address = try listener.localAddress()
        self.unixAddress = unixAddress
        self.poll = poll
        self.listener = listener
        self.unixListener = unixListener
    }

    /// Connects, exchanges a byte, and closes both ends without deregistering them.
    mutating func turn() throws {
        try turnTCP()
        try turnUnix()
    }

    private mutating func turnTCP() throws {
        let client = try TCPStream(connectingTo: address)
        try poll.registry.register(client, token: Token(2), interest: [.readable, .writable])
        let accepted = try listener.next()
        #expect(try listener.accept() == nil)
        try poll.registry.register(accepted.stream, token: Token(3), interest: .readable)
        try client.fileDescriptor.wait(for: POLLOUT)
        #expect(try client.finishConnect() == .connected)
        #expect(try client.write([1].span) == 1)
        #expect(try accepted.stream.readExactly(1) == [1])
        // A reset avoids filling this machine's port range with TIME-WAIT connections.
        client.reset()
    }

    private mutating func turnUnix() throws {
        let client = try UnixStream(connectingTo: unixAddress)
        try poll.registry.register(client, token: Token(4), interest: [.readable, .writable])
        let accepted = try unixListener.next()
        #expect(try unixListener.accept() == nil)
        try poll.registry.register(accepted.stream, token: Token(5), interest: .readable)
        #expect(try client.write([1].span) == 1)
        #expect(try accepted.stream.readExactly(1) == [1])
    }
}
#endif
