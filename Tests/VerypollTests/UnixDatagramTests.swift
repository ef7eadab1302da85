#if Net
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("UnixDatagram")
struct UnixDatagramTests {
    @Test("datagrams reach a path and an abstract name, and report their sender")
    func carriesDatagrams() throws {
        let directory = try TemporaryDirectory()
        let path = UnixAddress.path(FilePath(directory.appending("socket")))
        for address in [path, .unique()] {
            let receiver = try UnixDatagram(binding: address)
            #expect(try receiver.localAddress() == address)
            #expect(try receive(from: receiver) == nil)
            let sender = try UnixDatagram(binding: .unique())
            #expect(try sender.send([1, 2].span, to: address) == 2)
            #expect(try sender.send([3].span, to: address) == 1)
            let first = try #require(try receive(from: receiver))
            #expect(try first.sender == sender.localAddress() && first.bytes == [1, 2])
            #expect(try receive(from: receiver)?.bytes == [3])
            #expect(try receive(from: receiver) == nil)
            // The reply goes to the reported sender.
            #expect(try receiver.send([4].span, to: first.sender) == 1)
            let answer = try #require(try receive(from: sender))
            #expect(answer.sender == address && answer.bytes == [4])
        }
        #expect(throws: Errno.addressInUse) { _ = try UnixDatagram(binding: path) }
    }

    @Test("an unbound socket can send, and its receivers see no name")
    func isUnnamed() throws {
        let receiver = try UnixDatagram(binding: .unique())
        let sender = try UnixDatagram()
        #expect(try sender.localAddress() == .unnamed)
        #expect(try sender.send([1].span, to: receiver.localAddress()) == 1)
        #expect(try receive(from: receiver)?.sender == .unnamed)
    }

    @Test("the sockets of a pair are connected and unnamed, and datagrams pass both ways")
    func isAPair() throws {
        let pair = try UnixDatagram.pair()
        #expect(try pair.first.localAddress() == .unnamed)
        #expect(try pair.first.peerAddress() == .unnamed)
        #expect(try pair.first.send([1, 2].span) == 2)
        #expect(try pair.second.send([3].span) == 1)
        var received: [UInt8] = []
        #expect(try received.append(datagramFrom: pair.second) == 2)
        #expect(try received.append(datagramFrom: pair.first) == 1)
        #expect(received == [1, 2, 3])
        #expect(try received.append(datagramFrom: pair.first) == nil)
    }

    @Test("a connected socket sends to its peer, and can be reconnected")
    func connects() throws {
        let one = try UnixDatagram(binding: .unique())
        let two = try UnixDatagram(binding: .unique())
        let sender = try UnixDatagram()
        #expect(throws: Errno.socketNotConnected) { _ = try sender.send([0].span) }
        #expect(throws: Errno.socketNotConnected) { _ = try sender.peerAddress() }
        try sender.connect(to: one.localAddress())
        #expect(try sender.peerAddress() == one.localAddress())
        #expect(try sender.send([1].span) == 1)
        try sender.connect(to: two.localAddress())
        #expect(try sender.send([2].span) == 1)
        #expect(try receive(from: one)?.bytes == [1])
        #expect(try receive(from: two)?.bytes == [2])
        // A connected socket can send elsewhere as well.
        #expect(try sender.send([3].span, to: one.localAddress()) == 1)
        #expect(try receive(from: one)?.bytes == [3])
    }

    @Test("a connected socket receives nothing from others")
    func filters() throws {
        let one = try UnixDatagram(binding: .unique())
        let two = try UnixDatagram(binding: .unique())
        try one.connect(to: two.localAddress())
        let stranger = try UnixDatagram()
        #expect(throws: Errno.notPermitted) {
            _ = try stranger.send([1].span, to: one.localAddress())
        }
        #expect(try two.send([2].span, to: one.localAddress()) == 1)
        #expect(try receive(from: one)?.bytes == [2])
    }

    @Test("sending without a receiver is `noSuchFileOrDirectory` or `connectionRefused`")
    func refuses() async {
        // Outside an exit test, another test's child process holds copies of the descriptors until
        // it calls execve(2).
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let path = UnixAddress.path(FilePath(directory.appending("socket")))
            let sender = try UnixDatagram()
            #expect(throws: Errno.noSuchFileOrDirectory) { _ = try sender.send([1].span, to: path) }
            #expect(throws: Errno.noSuchFileOrDirectory) { try sender.connect(to: path) }
            do { _ = try UnixDatagram(binding: path) }
            #expect(throws: Errno.connectionRefused) { _ = try sender.send([1].span, to: path) }
            #expect(throws: Errno.connectionRefused) { try sender.connect(to: path) }
            let pair = try UnixDatagram.pair()
            let first = pair.dropSecond()
            #expect(throws: Errno.connectionRefused) { _ = try first.send([1].span) }
        }
    }

    @Test("an empty datagram is received as 0 bytes rather than nil")
    func isEmpty() throws {
        let pair = try UnixDatagram.pair()
        #expect(try pair.first.send(Span()) == 0)
        var received: [UInt8] = []
        #expect(try received.append(datagramFrom: pair.second) == 0)
        #expect(try received.append(datagramFrom: pair.second) == nil)
    }

    @Test(
        "a datagram that does not fit is truncated, and its full length reported",
        arguments: [0, 1, 3, 4]
    )
    func truncates(room: Int) throws {
        let pair = try UnixDatagram.pair()
        #expect(try pair.first.send([1, 2, 3, 4].span) == 4)
        #expect(try pair.first.send([5].span) == 1)
        var received: [UInt8] = []
        #expect(try received.append(datagramFrom: pair.second, room: room) == 4)
        #expect(received == Array([1, 2, 3, 4].prefix(room)))
        // The rest of the datagram is lost, and the next one is whole.
        #expect(try received.append(datagramFrom: pair.second) == 1)
        #expect(received.last == 5)
    }

    @Test("a peeked datagram is received again, with its sender")
    func peeks() throws {
        let receiver = try UnixDatagram(binding: .unique())
        let sender = try UnixDatagram(binding: .unique())
        #expect(try receive(from: receiver, peeks: true) == nil)
        #expect(try sender.send([1, 2].span, to: receiver.localAddress()) == 2)
        let peeked = try receive(from: receiver, peeks: true)
        #expect(try peeked?.sender == sender.localAddress() && peeked?.bytes == [1, 2])
        var received: [UInt8] = []
        #expect(try received.append(datagramFrom: receiver, room: 1, peeks: true) == 2)
        #expect(received == [1])
        #expect(try receive(from: receiver) == peeked)
        #expect(try receive(from: receiver) == nil)
    }

    @Test("a datagram overwrites a mutable span from the start, as far as it fits")
    func overwrites() throws {
        let receiver = try UnixDatagram(binding: .unique())
        let sender = try UnixDatagram(binding: .unique())
        let address = try sender.localAddress()
        var buffer: [UInt8] = [9, 9]
        #expect(try receiver.receive(into: buffer.mutableSpan) == nil)
        #expect(try receiver.receiveFrom(into: buffer.mutableSpan) == nil)
        for bytes in [[1], [2, 3, 4], []] as [[UInt8]] {
            #expect(try sender.send(bytes.span, to: receiver.localAddress()) == bytes.count)
        }
        #expect(try receiver.peek(into: buffer.mutableSpan) == 1)
        #expect(buffer == [1, 9])
        #expect(try receiver.receive(into: buffer.mutableSpan) == 1)
        let peeked = try receiver.peekFrom(into: buffer.mutableSpan)
        #expect(peeked?.byteCount == 3 && peeked?.sender == address && buffer == [2, 3])
        buffer = [9, 9]
        #expect(try receiver.receiveFrom(into: buffer.mutableSpan) == peeked)
        #expect(buffer == [2, 3])
        #expect(try receiver.receiveFrom(into: buffer.mutableSpan)?.byteCount == 0)
        #expect(try receiver.peekFrom(into: buffer.mutableSpan) == nil)
        #expect(buffer == [2, 3])
    }

    @Test("an oversized datagram is `messageTooLong`")
    func limits() throws {
        let pair = try UnixDatagram.pair()
        let size = try pair.first.sendBufferSize()
        let bytes = [UInt8](repeating: 1, count: size + 1)
        #expect(throws: Errno.messageTooLong) { _ = try pair.first.send(bytes.span) }
    }

    @Test("shutting down a direction ends it for both sockets")
    func shutsDown() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let writing = try UnixDatagram.pair()
            try writing.first.shutdown(.write)
            #expect(throws: Errno.brokenPipe) { _ = try writing.first.send([1].span) }
            #expect(try writing.second.send([1].span) == 1)

            let reading = try UnixDatagram.pair()
            try reading.first.shutdown(.read)
            #expect(throws: Errno.brokenPipe) { _ = try reading.second.send([1].span) }
            #expect(try reading.first.send([1].span) == 1)

            let both = try UnixDatagram.pair()
            try both.first.shutdown(.both)
            #expect(throws: Errno.brokenPipe) { _ = try both.first.send([1].span) }
            #expect(throws: Errno.brokenPipe) { _ = try both.second.send([1].span) }
        }
    }

    @Test("a socket bound without a name gets an abstract one from the kernel")
    func isNamedByKernel() throws {
        let receiver = try UnixDatagram(binding: .unnamed)
        let address = try receiver.localAddress()
        #expect(address != .unnamed)
        let sender = try UnixDatagram()
        #expect(try sender.send([1].span, to: address) == 1)
        #expect(try receive(from: receiver)?.bytes == [1])
        #expect(try receiver.takeError() == nil)
    }

    #if OSPoll
    @Test("datagrams are an event again each time after the socket was drained")
    func reports() throws {
        var poll = try Poll()
        let pair = try UnixDatagram.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        for _ in 0..<3 {
            #expect(try pair.second.send([1].span) == 1)
            #expect(try pair.second.send([2].span) == 1)
            #expect(try expectEvent(Token(1), from: &poll).isReadable)
            while try receive(from: pair.first) != nil {}
            #expect(try pendingEvents(in: &poll).isEmpty)
        }
    }

    @Test("a full queue blocks the sender, and a connected sender is woken when there is room")
    func reportsRoom() throws {
        var poll = try Poll()
        let pair = try UnixDatagram.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .writable)
        #expect(try expectEvent(Token(1), from: &poll).isWritable)
        var sent = 0
        while try pair.first.send([UInt8(truncatingIfNeeded: sent)].span) != nil { sent += 1 }
        #expect(sent > 0)
        #expect(try pendingEvents(in: &poll).isEmpty)
        // No datagram is lost.
        for number in 0..<sent {
            #expect(try receive(from: pair.second)?.bytes == [UInt8(truncatingIfNeeded: number)])
        }
        #expect(try receive(from: pair.second) == nil)
        #expect(try expectEvent(Token(1), from: &poll).isWritable)
        #expect(try pair.first.send([1].span) == 1)
    }
    #endif
}

extension UnixDatagram.Pair {
    /// Closes the second socket and returns the first.
    fileprivate consuming func dropSecond() -> UnixDatagram { first }
}

/// A received datagram and its sender.
private struct UnixLetter: Hashable {
    let bytes: [UInt8]
    let sender: UnixAddress
}

/// Receives or peeks at the next datagram; returns `nil` if there is none.
private func receive(
    from socket: borrowing UnixDatagram,
    peeks: Bool = false
) throws -> UnixLetter? {
    var bytes: [UInt8] = []
    var received: UnixDatagram.Received?
    try bytes.append(addingCapacity: 4096) { buffer in
        received = try peeks ? socket.peekFrom(into: &buffer) : socket.receiveFrom(into: &buffer)
    }
    guard let received else { return nil }
    try #require(received.byteCount == bytes.count)
    return UnixLetter(bytes: bytes, sender: received.sender)
}
#endif
