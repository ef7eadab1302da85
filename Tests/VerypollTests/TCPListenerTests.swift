#if Net
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("TCPListener")
struct TCPListenerTests {
    @Test("accept returns nil once the backlog is empty")
    func acceptsNothing() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        #expect(try listener.accept() == nil)
        let client = try TCPStream(connectingTo: listener.localAddress())
        _ = try listener.next()
        #expect(try listener.accept() == nil)
        withExtendedLifetime(client.fileDescriptor) {}
    }

    @Test("a port in use throws `addressInUse`, unless both sockets share it")
    func bindsOnce() throws {
        let first = try TCPListener(binding: .loopback(port: 0))
        let address = try first.localAddress()
        #expect(address.port != 0)
        #expect(throws: Errno.addressInUse) { _ = try TCPListener(binding: address) }

        var options = TCPListener.Options()
        options.reusesPort = true
        let shared = try TCPListener(binding: .loopback(port: 0), options: options)
        let second = try TCPListener(binding: shared.localAddress(), options: options)
        #expect(try second.localAddress() == shared.localAddress())
        #expect(throws: Errno.addressInUse) {
            _ = try TCPListener(binding: shared.localAddress())
        }
    }

    @Test("two clients are accepted in turn, each with its own address", arguments: families)
    func acceptsTwo(family: IPAddress.Family) throws {
        let listener = try TCPListener(binding: .loopback(family, port: 0))
        let address = try listener.localAddress()
        #expect(address.ip == .loopback(family))
        let one = try TCPStream(connectingTo: address)
        let first = try listener.next()
        let two = try TCPStream(connectingTo: address)
        let second = try listener.next()
        #expect(try first.peer == one.localAddress())
        #expect(try second.peer == two.localAddress())
        #expect(try first.stream.localAddress() == address)
        #expect(first.peer != second.peer)
        #expect(try one.write([1].span) == 1)
        #expect(try two.write([2].span) == 1)
        #expect(try first.stream.readExactly(1) == [1])
        #expect(try second.stream.readExactly(1) == [2])
    }

    @Test("a connection that closed before it was accepted is accepted and at end of file")
    func acceptsTheGone() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        do {
            let client = try TCPStream(connectingTo: listener.localAddress())
            try client.fileDescriptor.wait(for: POLLOUT)
            #expect(try client.write([5].span) == 1)
        }
        let accepted = try listener.next()
        #expect(try accepted.stream.readToEnd() == [5])
    }

    @Test("once a listener is closed, connects are refused")
    func closes() async {
        // Outside an exit test, another test's child process holds copies of the descriptors until
        // it calls execve(2).
        await #expect(processExitsWith: .success) {
            let own = SocketAddress(.ownLoopback(), port: 0)
            let address = try TCPListener(binding: own).localAddress()
            let client = try TCPStream(connectingTo: address)
            try client.fileDescriptor.wait(for: POLLOUT)
            #expect(throws: Errno.connectionRefused) { _ = try client.finishConnect() }
        }
    }

    @Test("an address that no interface has is `addressNotAvailable` unless free binding is on")
    func bindsFreely() throws {
        // These networks are reserved for documentation.
        for text in ["203.0.113.7:0", "[2001:db8::7]:0"] {
            let address = try #require(SocketAddress(text))
            #expect(throws: Errno.addressNotAvailable) { _ = try TCPListener(binding: address) }
            var options = TCPListener.Options()
            options.freeBinds = true
            let listener = try TCPListener(binding: address, options: options)
            #expect(try listener.localAddress().ip == address.ip)
        }
    }

    @Test("a port with connections in TIME-WAIT can be bound again, unless that is disabled")
    func reusesAddress() async {
        // Outside an exit test, another test's child process holds copies of the descriptors until
        // it calls execve(2).
        await #expect(processExitsWith: .success) {
            let address: SocketAddress
            do {
                let own = SocketAddress(.ownLoopback(), port: 0)
                let listener = try TCPListener(binding: own)
                address = try listener.localAddress()
                let client = try TCPStream(connectingTo: address)
                // The end that closes first keeps the address in TIME-WAIT.
                do { _ = try listener.next() }
                #expect(try client.readToEnd() == [])
            }
            var options = TCPListener.Options()
            options.reusesAddress = false
            #expect(throws: Errno.addressInUse) {
                _ = try TCPListener(binding: address, options: options)
            }
            let listener = try TCPListener(binding: address)
            #expect(try listener.localAddress() == address)
        }
    }

    @Test("[::] accepts IPv4 as well, unless IPv6-only is set")
    func separatesFamilies() throws {
        var options = TCPListener.Options()
        let both = try TCPListener(binding: SocketAddress(.any(.v6), port: 0), options: options)
        #expect(try !both.isOnlyV6())
        let port = try both.localAddress().port
        let client = try TCPStream(connectingTo: .loopback(.v4, port: port))
        let accepted = try both.next()
        #expect(accepted.peer.ip.isIPv4Mapped)
        #expect(accepted.peer.ip.unmapped == .loopback(.v4))
        withExtendedLifetime(client.fileDescriptor) {}

        // The IPv4 port is free for another socket, here at a loopback address that no other test
        // uses.
        options.isOnlyV6 = true
        let six = try TCPListener(binding: SocketAddress(.any(.v6), port: 0), options: options)
        #expect(try six.isOnlyV6())
        let own = SocketAddress(.ownLoopback(), port: try six.localAddress().port)
        let four = try TCPListener(binding: own)
        let other = try TCPStream(connectingTo: own)
        #expect(try four.next().peer == other.localAddress())
        let isKeptOff = try six.accept() == nil
        #expect(isKeptOff)
        #expect(throws: Errno.notSupported) { _ = try four.isOnlyV6() }
    }

    @Test("the backlog has the requested length")
    func limitsBacklog() throws {
        var options = TCPListener.Options()
        options.backlog = 7
        let listener = try TCPListener(binding: .loopback(port: 0), options: options)
        #expect(try backlog(of: listener.fileDescriptor) == 7)
    }

    @Test("with deferred accept, a connection is reported once its first bytes have arrived")
    func defersAccept() throws {
        var options = TCPListener.Options()
        options.deferredAccept = .milliseconds(29_001)
        let listener = try TCPListener(binding: .loopback(port: 0), options: options)
        let client = try TCPStream(connectingTo: listener.localAddress())
        try client.fileDescriptor.wait(for: POLLOUT)
        #expect(try client.finishConnect() == .connected)
        #expect(try listener.accept() == nil)
        #expect(try client.write([3].span) == 1)
        let accepted = try listener.next()
        #expect(try accepted.stream.readExactly(1) == [3])
        // The kernel stores a number of retransmissions and reports the time derived from it.
        let seconds = try listener.fileDescriptor.option(Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT)
        #expect(seconds >= 30)
    }

    @Test("fast open accepts as many pending connections as requested")
    func opensFast() throws {
        var options = TCPListener.Options()
        let plain = try TCPListener(binding: .loopback(port: 0), options: options)
        #expect(try plain.fileDescriptor.option(Int32(IPPROTO_TCP), TCP_FASTOPEN) == 0)
        options.fastOpen = 5
        let fast = try TCPListener(binding: .loopback(port: 0), options: options)
        #expect(try fast.fileDescriptor.option(Int32(IPPROTO_TCP), TCP_FASTOPEN) == 5)
    }

    @Test("connections inherit their listener's options")
    func handsOn() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        try listener.setNoDelay(true)
        try listener.setKeepAlive(.seconds(40))
        try listener.setUserTimeout(.milliseconds(1500))
        try listener.setTimeToLive(77)
        let client = try TCPStream(connectingTo: listener.localAddress())
        let accepted = try listener.next()
        #expect(try accepted.stream.noDelay())
        #expect(try accepted.stream.timeToLive() == 77)
        #expect(try accepted.stream.fileDescriptor.option(SOL_SOCKET, SO_KEEPALIVE) == 1)
        #expect(try accepted.stream.fileDescriptor.option(Int32(IPPROTO_TCP), TCP_KEEPIDLE) == 40)
        #expect(
            try accepted.stream.fileDescriptor.option(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 1500
        )
        #expect(try !client.noDelay())
    }

    @Test("a healthy listener has no pending error")
    func takesError() throws {
        #expect(try TCPListener(binding: .loopback(port: 0)).takeError() == nil)
    }

    #if OSPoll
    @Test("each connection is an event after the backlog was drained", arguments: families)
    func reports(family: IPAddress.Family) throws {
        var poll = try Poll()
        let listener = try TCPListener(binding: .loopback(family, port: 0))
        try poll.registry.register(listener, token: Token(1), interest: .readable)
        #expect(try pendingEvents(in: &poll).isEmpty)
        for _ in 0..<3 {
            let client = try TCPStream(connectingTo: listener.localAddress())
            let event = try expectEvent(Token(1), from: &poll)
            #expect(event.isReadable && !event.isWritable)
            let accepted = try listener.accept()
            #expect((accepted != nil) == true)
            #expect(try listener.accept() == nil)
            withExtendedLifetime(client.fileDescriptor) {}
        }
    }

    @Test("a listener closed while registered causes no events")
    func closesWhileRegistered() async {
        // Outside an exit test, another test's child process holds copies of the descriptors until
        // it calls execve(2).
        await #expect(processExitsWith: .success) {
            var poll = try Poll()
            let address: SocketAddress
            do {
                let own = SocketAddress(.ownLoopback(), port: 0)
                let listener = try TCPListener(binding: own)
                address = try listener.localAddress()
                try poll.registry.register(listener, token: Token(1), interest: .readable)
            }
            let client = try TCPStream(connectingTo: address)
            try client.fileDescriptor.wait(for: POLLOUT)
            #expect(try pendingEvents(in: &poll).isEmpty)
        }
    }

    @Test("polls that share a listener exclusively accept each connection once")
    func isShared() throws {
        let shared = Shared(try TCPListener(binding: .loopback(port: 0)), try ForeignPair())
        let address = try shared.listener.localAddress()
        let count = Counter()
        let threads = (0..<3).map { _ in
            ConcurrentWork { try acceptAll(from: shared, counting: count) }
        }
        var clients: [Held<TCPStream>] = []
        for _ in 0..<12 { clients.append(Held(try TCPStream(connectingTo: address))) }
        try eventually("all connections to be accepted") { count.value == 12 }
        try shared.end.second.send()
        let accepted = try threads.flatMap { try $0.join() }
        let expected = try clients.map { try $0.value.localAddress() }
        #expect(Set(accepted) == Set(expected) && accepted.count == 12)
    }
    #endif
}

private let families: [IPAddress.Family] = [.v4, .v6]

#if OSPoll
private final class Shared: Sendable {
    let listener: TCPListener
    let end: ForeignPair

    init(_ listener: consuming TCPListener, _ end: consuming ForeignPair) {
        self.listener = listener
        self.end = end
    }
}

/// Accepts connections in exclusive mode until told to stop; returns their source addresses.
private func acceptAll(from shared: Shared, counting count: Counter) throws -> [SocketAddress] {
    var poll = try Poll()
    try poll.registry.register(
        shared.listener,
        token: Token(0),
        interest: .readable,
        mode: .exclusive
    )
    try poll.registry.register(shared.end.first, token: Token(1), interest: .readable, mode: .level)
    var peers: [SocketAddress] = []
    while true {
        let tokens = try expectEvents(1, from: &poll).map(\.token)
        while let accepted = try shared.listener.accept() {
            peers.append(accepted.peer)
            count.add(1)
        }
        if tokens.contains(Token(1)) { return peers }
    }
}
#endif

/// Returns a listening socket's backlog as the kernel reports it.
private func backlog(of listener: FileDescriptor) throws -> UInt32 {
    var info = [UInt32](repeating: 0, count: 64)
    var size = socklen_t(info.count * 4)
    let level = Int32(IPPROTO_TCP)
    try #require(unsafe getsockopt(listener.rawValue, level, TCP_INFO, &info, &size) == 0)
    // struct tcp_info: 8 bytes, rto, ato, snd_mss, rcv_mss, unacked, sacked; see ss(8).
    return info[7]
}
#endif
