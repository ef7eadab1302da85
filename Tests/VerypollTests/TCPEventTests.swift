#if OSPoll && Net
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("TCPStream's events")
struct TCPEventTests {
    @Test("a refused connect is an event, and finishConnect throws the reason", arguments: families)
    func refuses(family: IPAddress.Family) throws {
        var poll = try Poll()
        let nobody = try Nobody(family)
        let client = try TCPStream(connectingTo: nobody.address)
        try poll.registry.register(client, token: Token(1), interest: .writable)
        let event = try expectEvent(Token(1), from: &poll)
        #expect(event.isWritable && event.isError)
        #expect(throws: Errno.connectionRefused) { _ = try client.finishConnect() }
        // The error is reported once; a second call fails, so that callers do not wait forever.
        #expect(throws: Errno.socketNotConnected) { _ = try client.finishConnect() }
    }

    @Test("a completed connect is an event, and a pending one is not")
    func connects() throws {
        var poll = try Poll()
        var options = TCPListener.Options()
        options.backlog = 0
        let listener = try TCPListener(binding: .loopback(port: 0), options: options)
        let first = try TCPStream(connectingTo: listener.localAddress())
        try poll.registry.register(first, token: Token(1), interest: .writable)
        #expect(try expectEvent(Token(1), from: &poll).isWritable)
        #expect(try first.finishConnect() == .connected)
        try listener.fileDescriptor.wait()
        let second = try TCPStream(connectingTo: listener.localAddress())
        try poll.registry.register(second, token: Token(2), interest: .writable)
        #expect(try pendingEvents(in: &poll).isEmpty)
        #expect(try second.finishConnect() == .pending)
    }

    @Test("arriving bytes cause one event until they are all read")
    func reads() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        try poll.registry.register(pair.server, token: Token(1), interest: .readable)
        for _ in 0..<3 {
            #expect(try pair.client.write([1, 2, 3].span) == 3)
            let event = try expectEvent(Token(1), from: &poll)
            #expect(event.isReadable && !event.isReadClosed && !event.isWritable)
            var received: [UInt8] = []
            while try received.append(from: pair.server) != nil {}
            #expect(received == [1, 2, 3])
        }
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("room to write is an event once the peer has read what filled the stream")
    func writes() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        try poll.registry.register(pair.client, token: Token(1), interest: .writable)
        #expect(try expectEvent(Token(1), from: &poll).isWritable)
        let chunk = [UInt8](repeating: 7, count: 1 << 20)
        var written = 0
        while let count = try pair.client.write(chunk.span) { written += count }
        #expect(try pair.server.readExactly(written).count == written)
        #expect(try expectEvent(Token(1), from: &poll).isWritable)
        #expect(try pair.client.write([1].span) == 1)
    }

    @Test("the peer's half-close closes reading but not writing")
    func halfCloses() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        try poll.registry.register(pair.server, token: Token(1), interest: [.readable, .writable])
        try pair.client.shutdown(.write)
        let event = try expectClosed(from: &poll)
        #expect(event.isReadable && event.isReadClosed && !event.isWriteClosed && !event.isError)
        var received: [UInt8] = []
        #expect(try received.append(from: pair.server) == 0)
        #expect(try pair.server.write([8].span) == 1)
    }

    @Test("bytes and the end of file after them may arrive in one event that reports both")
    func halfClosesWithBytes() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        #expect(try pair.client.write([7].span) == 1)
        try pair.client.shutdown(.write)
        var end = pollfd(fd: pair.server.fileDescriptor.rawValue, events: 0x2000, revents: 0)
        try #require(unsafe Glibc.poll(&end, 1, 30_000) == 1)  // POLLRDHUP.
        try poll.registry.register(pair.server, token: Token(1), interest: .readable)
        let event = try expectEvent(Token(1), from: &poll)
        #expect(event.isReadable && event.isReadClosed)
        // A short read does not mean that the stream is drained, because the event reported the end
        // of file.
        var received: [UInt8] = []
        #expect(try received.append(from: pair.server) == 1)
        #expect(try received.append(from: pair.server) == 0)
    }

    @Test("after both ends have closed, both directions are closed")
    func hangsUp() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        try pair.server.shutdown(.write)
        try pair.client.shutdown(.write)
        #expect(try pair.server.readToEnd() == [])
        try poll.registry.register(pair.server, token: Token(1), interest: .readable)
        let event = try expectClosed(from: &poll)
        #expect(event.isReadClosed && event.isWriteClosed)
    }

    @Test("a reset closes both directions and is an error")
    func resets() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        let client = pair.resetServer()
        try poll.registry.register(client, token: Token(1), interest: [.readable, .writable])
        let event = try expectClosed(from: &poll)
        #expect(event.isReadClosed && event.isWriteClosed && event.isError)
        #expect(try client.takeError() == .connectionReset)
    }

    @Test("out-of-band data is a priority event if that interest is registered")
    func isUrgent() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        try poll.registry.register(pair.server, token: Token(1), interest: [.readable, .priority])
        try sendUrgent(0x21, on: pair.client)
        var event = try expectEvent(Token(1), from: &poll)
        // The urgent notice may arrive a moment before the byte, and then the rest is a second
        // event.
        while !event.isPriority { event = try expectEvent(Token(1), from: &poll) }
        let urgent = try pair.server.withDescriptor { descriptor throws(Errno) in
            var byte: UInt8 = 0
            let count = unsafe recv(descriptor.rawValue, &byte, 1, Int32(MSG_OOB))
            if count < 0 { throw Errno(rawValue: errno) }
            return byte
        }
        #expect(urgent == 0x21)
        try sendUrgent(0x22, on: pair.client)
        try poll.registry.reregister(pair.server, token: Token(1), interest: .writable)
        #expect(try !expectEvent(Token(1), from: &poll).isPriority)
    }

    @Test("two streams of one listener are distinguished by their tokens")
    func areTwo() throws {
        var poll = try Poll()
        let listener = try TCPListener(binding: .loopback(port: 0))
        let one = try TCPStream(connectingTo: listener.localAddress())
        let first = try listener.next()
        let two = try TCPStream(connectingTo: listener.localAddress())
        let second = try listener.next()
        try poll.registry.register(first.stream, token: Token(1), interest: .readable)
        try poll.registry.register(second.stream, token: Token(2), interest: .readable)
        #expect(try two.write([2].span) == 1)
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(2)])
        #expect(try one.write([1].span) == 1)
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(1)])
        #expect(try first.stream.readExactly(1) == [1])
        #expect(try second.stream.readExactly(1) == [2])
    }

    @Test("peeking does not drain: reregistering reports the same bytes again")
    func peeks() throws {
        var poll = try Poll()
        let pair = try TCPPair()
        try poll.registry.register(pair.server, token: Token(1), interest: .readable)
        #expect(try pair.client.write([1].span) == 1)
        _ = try expectEvent(Token(1), from: &poll)
        var peeked: [UInt8] = []
        try peeked.append(addingCapacity: 8) { _ = try pair.server.peek(into: &$0) }
        #expect(peeked == [1])
        try poll.registry.reregister(pair.server, token: Token(2), interest: .readable)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(2)])
    }
}

private let families: [IPAddress.Family] = [.v4, .v6]

/// Polls token 1 until an event reports that reading is closed.
private func expectClosed(from poll: inout Poll) throws -> Event {
    while true {
        let event = try expectEvent(Token(1), from: &poll)
        if event.isReadClosed { return event }
    }
}

/// Sends one byte of urgent data.
private func sendUrgent(_ byte: UInt8, on stream: borrowing TCPStream) throws {
    var byte = byte
    let descriptor = stream.fileDescriptor.rawValue
    try #require(unsafe send(descriptor, &byte, 1, Int32(MSG_OOB)) == 1)
}
#endif
