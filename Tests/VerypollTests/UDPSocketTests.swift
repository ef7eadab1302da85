#if Net
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("UDPSocket")
struct UDPSocketTests {
    @Test("datagrams report their sender, and answers reach that address", arguments: families)
    func carriesDatagrams(family: IPAddress.Family) throws {
        let one = try UDPSocket(binding: .loopback(family, port: 0))
        let two = try UDPSocket(binding: .loopback(family, port: 0))
        #expect(try one.localAddress().port != 0 && one.localAddress().ip == .loopback(family))
        #expect(try receive(from: one) == nil)
        #expect(try one.send([1, 2].span, to: two.localAddress()) == 2)
        let letter = try expectLetter(to: two)
        #expect(try letter.sender == one.localAddress() && letter.bytes == [1, 2])
        #expect(try two.send([3].span, to: letter.sender) == 1)
        #expect(try expectLetter(to: one).bytes == [3])
        #expect(try receive(from: one) == nil)
    }

    @Test("a connected socket sends and receives without addresses", arguments: families)
    func connects(family: IPAddress.Family) throws {
        let one = try UDPSocket(binding: .loopback(family, port: 0))
        let two = try UDPSocket(binding: .loopback(family, port: 0))
        #expect(throws: Errno.socketNotConnected) { _ = try one.peerAddress() }
        try one.connect(to: two.localAddress())
        try two.connect(to: one.localAddress())
        #expect(try one.peerAddress() == two.localAddress())
        #expect(try one.send([1, 2, 3].span) == 3)
        try two.fileDescriptor.wait()
        var received: [UInt8] = []
        #expect(try received.append(datagramFrom: two) == 3)
        #expect(received == [1, 2, 3])
        #expect(try received.append(datagramFrom: two) == nil)
    }

    @Test("a connected socket can be reconnected, and receives only from its new peer")
    func reconnects() throws {
        let one = try UDPSocket(binding: .loopback(port: 0))
        let two = try UDPSocket(binding: .loopback(port: 0))
        let socket = try UDPSocket(binding: .loopback(port: 0))
        for (peer, other) in [(1, 2), (2, 1)] {
            let address = try (peer == 1 ? one.localAddress() : two.localAddress())
            try socket.connect(to: address)
            #expect(try socket.peerAddress() == address)
            #expect(try socket.send([UInt8(peer)].span) == 1)
            // The other peer's datagram would arrive first, if it arrived at all.
            for sender in [other, peer] {
                let bytes = [UInt8(10 + sender)]
                let local = try socket.localAddress()
                let sent =
                    try sender == 1
                    ? one.send(bytes.span, to: local) : two.send(bytes.span, to: local)
                #expect(sent == 1)
            }
            #expect(try expectLetter(to: socket).bytes == [UInt8(10 + peer)])
            #expect(try receive(from: socket) == nil)
        }
        #expect(try expectLetter(to: one).bytes == [1])
        #expect(try expectLetter(to: two).bytes == [2])
    }

    @Test("a connected socket receives with the sender's address, and can send elsewhere")
    func mixesUnconnectedCalls() throws {
        let peer = try UDPSocket(binding: .loopback(port: 0))
        let other = try UDPSocket(binding: .loopback(port: 0))
        let socket = try UDPSocket(binding: .loopback(port: 0))
        try socket.connect(to: peer.localAddress())
        #expect(try peer.send([1].span, to: socket.localAddress()) == 1)
        #expect(try expectLetter(to: socket).sender == peer.localAddress())
        #expect(try socket.send([2].span, to: other.localAddress()) == 1)
        #expect(try expectLetter(to: other).sender == socket.localAddress())
        #expect(try socket.peerAddress() == peer.localAddress())
    }

    @Test("an unconnected socket receives without addresses, and cannot send without one")
    func mixesConnectedCalls() throws {
        let one = try UDPSocket(binding: .loopback(port: 0))
        let two = try UDPSocket(binding: .loopback(port: 0))
        #expect(throws: Errno.addressRequired) { _ = try one.send([1].span) }
        #expect(try one.send([1].span, to: two.localAddress()) == 1)
        try two.fileDescriptor.wait()
        var received: [UInt8] = []
        #expect(try received.append(datagramFrom: two, peeks: true) == 1)
        #expect(try received.append(datagramFrom: two) == 1)
        #expect(received == [1, 1])
    }

    @Test("an empty datagram is received as 0 bytes rather than nil")
    func isEmpty() throws {
        let one = try UDPSocket(binding: .loopback(port: 0))
        let two = try UDPSocket(binding: .loopback(port: 0))
        #expect(try one.send(Span(), to: two.localAddress()) == 0)
        let letter = try expectLetter(to: two)
        #expect(try letter.bytes == [] && letter.sender == one.localAddress())
        try one.connect(to: two.localAddress())
        #expect(try one.send(Span()) == 0)
        try two.fileDescriptor.wait()
        var received: [UInt8] = []
        #expect(try received.append(datagramFrom: two) == 0)
        #expect(try received.append(datagramFrom: two) == nil)
    }

    @Test(
        "a datagram that does not fit is truncated, and its full length reported",
        arguments: [0, 1, 3, 4]
    )
    func truncates(room: Int) throws {
        let one = try UDPSocket(binding: .loopback(port: 0))
        let two = try UDPSocket(binding: .loopback(port: 0))
        for _ in 0..<2 { #expect(try one.send([1, 2, 3, 4].span, to: two.localAddress()) == 4) }
        #expect(try one.send([5].span, to: two.localAddress()) == 1)
        try two.fileDescriptor.wait()
        let cut = Array([1, 2, 3, 4].prefix(room)) as [UInt8]
        var received: [UInt8] = []
        #expect(try received.append(datagramFrom: two, room: room, peeks: true) == 4)
        #expect(received == cut)
        received = []
        #expect(try received.append(datagramFrom: two, room: room) == 4)
        #expect(received == cut)
        let letter = try expectLetter(to: two, room: room)
        #expect(letter.bytes == cut && letter.byteCount == 4)
        #expect(try expectLetter(to: two).bytes == [5])
    }

    @Test("a peeked datagram is received again, with its sender")
    func peeks() throws {
        let one = try UDPSocket(binding: .loopback(port: 0))
        let two = try UDPSocket(binding: .loopback(port: 0))
        #expect(try receive(from: two, peeks: true) == nil)
        #expect(try one.send([1, 2].span, to: two.localAddress()) == 2)
        let peeked = try expectLetter(to: two, peeks: true)
        #expect(try peeked.sender == one.localAddress() && peeked.bytes == [1, 2])
        #expect(try expectLetter(to: two) == peeked)
        #expect(try receive(from: two) == nil)
    }

    @Test(
        "a datagram overwrites a mutable span from the start, as far as it fits",
        arguments: [0, 1, 3, 4]
    )
    func overwrites(room: Int) throws {
        let one = try UDPSocket(binding: .loopback(port: 0))
        let two = try UDPSocket(binding: .loopback(port: 0))
        var buffer = [UInt8](repeating: 9, count: room)
        #expect(try two.peek(into: buffer.mutableSpan) == nil)
        #expect(try two.receive(into: buffer.mutableSpan) == nil)
        #expect(try two.peekFrom(into: buffer.mutableSpan) == nil)
        #expect(try two.receiveFrom(into: buffer.mutableSpan) == nil)
        let sender = try one.localAddress()
        for number in 1...2 as ClosedRange<UInt8> {
            #expect(try one.send([number, 5, 6].span, to: two.localAddress()) == 3)
        }
        try two.fileDescriptor.wait()
        let stored = { (number: UInt8) in Array(([number, 5, 6] + [9]).prefix(room)) }
        #expect(try two.peek(into: buffer.mutableSpan) == 3)
        #expect(buffer == stored(1))
        #expect(try two.receive(into: buffer.mutableSpan) == 3)
        #expect(buffer == stored(1))
        for peeks in [true, false] {
            let received =
                try peeks
                ? two.peekFrom(into: buffer.mutableSpan) : two.receiveFrom(into: buffer.mutableSpan)
            #expect(received?.byteCount == 3 && received?.sender == sender)
            #expect(buffer == stored(2))
        }
        #expect(try two.receive(into: buffer.mutableSpan) == nil)
    }

    @Test("an oversized datagram is `messageTooLong`, and nothing is sent", arguments: families)
    func limits(family: IPAddress.Family) throws {
        let one = try UDPSocket(binding: .loopback(family, port: 0))
        let two = try UDPSocket(binding: .loopback(family, port: 0))
        // The limit includes the UDP header, and the IPv4 header for IPv4.
        let most = family == .v4 ? 65_507 : 65_527
        let tooMuch = [UInt8](repeating: 1, count: most + 1)
        #expect(throws: Errno.messageTooLong) {
            _ = try one.send(tooMuch.span, to: two.localAddress())
        }
        let bytes = [UInt8](repeating: 2, count: most)
        #expect(try one.send(bytes.span, to: two.localAddress()) == most)
        #expect(try expectLetter(to: two, room: 70_000).bytes == bytes)
    }

    @Test("sending to an unused port fails with `connectionRefused`", arguments: families)
    func isRefused(family: IPAddress.Family) throws {
        let nobody = try UDPSocket(binding: .loopback(family, port: 0))
        // A socket connected to itself rejects datagrams from others, so its port counts as unused.
        try nobody.connect(to: nobody.localAddress())
        let socket = try UDPSocket(binding: .loopback(family, port: 0))
        try socket.connect(to: nobody.localAddress())
        #expect(try socket.send([1].span) == 1)
        try socket.fileDescriptor.wait()
        #expect(throws: Errno.connectionRefused) { _ = try receive(from: socket) }
        #expect(try receive(from: socket) == nil)
        #expect(try socket.send([1].span) == 1)
        try socket.fileDescriptor.waitForEnd()
        #expect(try socket.takeError() == .connectionRefused)
        #expect(try socket.takeError() == nil)
    }

    @Test("an address in use is rejected, unless both sockets share it")
    func bindsOnce() throws {
        let first = try UDPSocket(binding: .loopback(port: 0))
        #expect(throws: Errno.addressInUse) { _ = try UDPSocket(binding: first.localAddress()) }
        let unheard = try #require(SocketAddress("203.0.113.7:0"))
        #expect(throws: Errno.addressNotAvailable) { _ = try UDPSocket(binding: unheard) }
        var options = UDPSocket.Options()
        options.freeBinds = true
        #expect(try UDPSocket(binding: unheard, options: options).localAddress().ip == unheard.ip)

        options = UDPSocket.Options()
        options.reusesPort = true
        let one = try UDPSocket(binding: .loopback(port: 0), options: options)
        let two = try UDPSocket(binding: one.localAddress(), options: options)
        let sender = try UDPSocket(binding: .loopback(port: 0))
        for _ in 0..<20 { #expect(try sender.send([1].span, to: one.localAddress()) == 1) }
        // All datagrams of one sender go to the same socket.
        var counts = [0, 0]
        try eventually("all datagrams to arrive") {
            counts[0] += try drain(one)
            counts[1] += try drain(two)
            return counts[0] + counts[1] == 20
        }
        #expect(Set(counts) == [0, 20])
    }

    @Test("[::] receives IPv4 as well, unless IPv6-only is set")
    func separatesFamilies() throws {
        var options = UDPSocket.Options()
        let both = try UDPSocket(binding: SocketAddress(.any(.v6), port: 0), options: options)
        options.isOnlyV6 = true
        let six = try UDPSocket(binding: SocketAddress(.any(.v6), port: 0), options: options)
        #expect(try !both.isOnlyV6() && six.isOnlyV6())
        let four = try UDPSocket(binding: .loopback(.v4, port: 0))
        #expect(throws: Errno.notSupported) { _ = try four.isOnlyV6() }
        let port = try both.localAddress().port
        #expect(try four.send([1].span, to: .loopback(.v4, port: port)) == 1)
        let letter = try expectLetter(to: both)
        #expect(letter.sender.ip.isIPv4Mapped && letter.sender.ip.unmapped == .loopback(.v4))
        let other = try six.localAddress().port
        try four.connect(to: SocketAddress(.ownLoopback(), port: other))
        #expect(try four.send([1].span) == 1)
        try four.fileDescriptor.waitForEnd()
        #expect(try four.takeError() == .connectionRefused)
    }

    @Test("the time to live has a default, and a new value is kept", arguments: families)
    func livesAsLong(family: IPAddress.Family) throws {
        let socket = try UDPSocket(binding: .loopback(family, port: 0))
        #expect(try (1...255).contains(socket.timeToLive()))
        for hops in [1, 77, 255] {
            try socket.setTimeToLive(hops)
            #expect(try socket.timeToLive() == hops)
        }
        #expect(throws: Errno.invalidArgument) { try socket.setTimeToLive(256) }
    }

    @Test("a broadcast is `permissionDenied` until it is enabled, and then arrives")
    func broadcasts() throws {
        let receiver = try UDPSocket(binding: SocketAddress(.any(.v4), port: 0))
        let sender = try UDPSocket(binding: .loopback(port: 0))
        // The loopback network has a broadcast address, too.
        let all = SocketAddress(IPAddress(v4: 0x7FFF_FFFF), port: try receiver.localAddress().port)
        #expect(try !sender.broadcast())
        #expect(throws: Errno.permissionDenied) { _ = try sender.send([1].span, to: all) }
        try sender.setBroadcast(true)
        #expect(try sender.broadcast())
        #expect(try sender.send([2].span, to: all) == 1)
        #expect(try expectLetter(to: receiver).bytes == [2])
        try sender.setBroadcast(false)
        #expect(throws: Errno.permissionDenied) { _ = try sender.send([3].span, to: all) }
    }

    @Test("buffers have at least the requested size")
    func buffers() throws {
        let socket = try UDPSocket(binding: .loopback(port: 0))
        try socket.setReceiveBufferSize(16_384)
        #expect(try socket.receiveBufferSize() == 32_768)
        try socket.setSendBufferSize(16_384)
        #expect(try socket.sendBufferSize() == 32_768)
    }

    #if OSPoll
    @Test(
        "datagrams are an event again each time after the socket was drained",
        arguments: [
            true, false,
        ]
    )
    func reports(tellsSender: Bool) throws {
        var poll = try Poll()
        let one = try UDPSocket(binding: .loopback(port: 0))
        let two = try UDPSocket(binding: .loopback(port: 0))
        try poll.registry.register(two, token: Token(1), interest: .readable)
        #expect(try pendingEvents(in: &poll).isEmpty)
        for _ in 0..<3 {
            #expect(try one.send([1].span, to: two.localAddress()) == 1)
            let event = try expectEvent(Token(1), from: &poll)
            #expect(event.isReadable && !event.isWritable && !event.isError)
            #expect(try drain(two, tellsSender: tellsSender) == 1)
            #expect(try pendingEvents(in: &poll).isEmpty)
        }
    }

    @Test("a socket is writable at once, and can be reregistered and deregistered")
    func registers() throws {
        var poll = try Poll()
        let one = try UDPSocket(binding: .loopback(port: 0))
        let two = try UDPSocket(binding: .loopback(port: 0))
        try poll.registry.register(two, token: Token(1), interest: [.readable, .writable])
        let event = try expectEvent(Token(1), from: &poll)
        #expect(event.isWritable && !event.isReadable)
        try poll.registry.reregister(two, token: Token(2), interest: .readable)
        #expect(try one.send([1].span, to: two.localAddress()) == 1)
        #expect(try expectEvent(Token(2), from: &poll).isReadable)
        try poll.registry.deregister(two)
        #expect(try one.send([1].span, to: two.localAddress()) == 1)
        try two.fileDescriptor.wait()
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("a refused datagram is an error event")
    func reportsRefusal() throws {
        var poll = try Poll()
        let nobody = try UDPSocket(binding: .loopback(port: 0))
        // A socket connected to itself rejects datagrams from others, so its port counts as unused.
        try nobody.connect(to: nobody.localAddress())
        let socket = try UDPSocket(binding: .loopback(port: 0))
        try socket.connect(to: nobody.localAddress())
        try poll.registry.register(socket, token: Token(1), interest: .readable)
        #expect(try socket.send([1].span) == 1)
        #expect(try expectEvent(Token(1), from: &poll).isError)
        #expect(try socket.takeError() == .connectionRefused)
    }
    #endif
}

private let families: [IPAddress.Family] = [.v4, .v6]

/// Receives until nothing is left, and returns the number of datagrams.
private func drain(_ socket: borrowing UDPSocket, tellsSender: Bool = true) throws -> Int {
    var count = 0
    var ignored: [UInt8] = []
    while try tellsSender
        ? receive(from: socket) != nil : ignored.append(datagramFrom: socket) != nil
    { count += 1 }
    return count
}
#endif
