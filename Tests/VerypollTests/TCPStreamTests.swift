#if Net
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("TCPStream")
struct TCPStreamTests {
    @Test("bytes pass both ways, and the addresses of both ends agree", arguments: families)
    func carriesBytes(family: IPAddress.Family) throws {
        let pair = try TCPPair(family)
        #expect(try pair.client.localAddress() == pair.server.peerAddress())
        #expect(try pair.client.peerAddress() == pair.server.localAddress())
        #expect(try pair.client.peerAddress().ip == .loopback(family))
        var received: [UInt8] = []
        #expect(try received.append(from: pair.server) == nil)
        #expect(try pair.client.write([1, 2, 3].span) == 3)
        #expect(try pair.server.readExactly(3) == [1, 2, 3])
        #expect(try pair.server.write([4, 5].span) == 2)
        #expect(try pair.client.readExactly(2) == [4, 5])
    }

    @Test("a connect is pending, then done, and the local address is known from the start")
    func connects() throws {
        // The backlog is full: the kernel drops the next client's packets until a connection is
        // accepted.
        var options = TCPListener.Options()
        options.backlog = 0
        let listener = try TCPListener(binding: .loopback(port: 0), options: options)
        let first = try TCPStream(connectingTo: listener.localAddress())
        try listener.fileDescriptor.wait()
        let second = try TCPStream(connectingTo: listener.localAddress())
        #expect(try second.finishConnect() == .pending)
        #expect(try second.finishConnect() == .pending)
        #expect(try second.localAddress().ip == .loopback(.v4))
        #expect(try second.localAddress().port != 0)
        #expect(throws: Errno.socketNotConnected) { _ = try second.peerAddress() }
        let accepted = try listener.next()
        #expect(try accepted.peer == first.localAddress())
        try second.fileDescriptor.wait(for: POLLOUT)
        #expect(try second.finishConnect() == .connected)
        #expect(try second.finishConnect() == .connected)
        #expect(try second.peerAddress() == listener.localAddress())
    }

    @Test("an immediate error is thrown by connect")
    func failsAtOnce() {
        // TCP cannot connect to a multicast address.
        #expect(throws: Errno.networkUnreachable) {
            _ = try TCPStream(connectingTo: SocketAddress(IPAddress(v4: 0xE000_0001), port: 9))
        }
    }

    @Test("the peer reads a reset's error once, and then end of file", arguments: families)
    func resets(family: IPAddress.Family) throws {
        let client = try resetClient(family)
        var received: [UInt8] = []
        #expect(throws: Errno.connectionReset) { _ = try received.append(from: client) }
        #expect(try received.append(from: client) == 0)
        #expect(throws: Errno.brokenPipe) { _ = try client.write([1].span) }
        #expect(throws: Errno.socketNotConnected) { try client.shutdown(.both) }
        #expect(throws: Errno.socketNotConnected) { _ = try client.peerAddress() }
    }

    @Test("takeError returns the error of a reset once")
    func takesError() throws {
        let client = try resetClient()
        #expect(try client.takeError() == .connectionReset)
        #expect(try client.takeError() == nil)
        var received: [UInt8] = []
        #expect(try received.append(from: client) == 0)
    }

    @Test("writing after shutting down writing throws `brokenPipe`, without SIGPIPE")
    func writesAfterShutdown() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let pair = try TCPPair()
            try pair.client.shutdown(.write)
            #expect(throws: Errno.brokenPipe) { _ = try pair.client.write([1].span) }
            #expect(throws: Errno.brokenPipe) { _ = try pair.client.write(parts: [[1], [2]]) }
        }
    }

    @Test("after shutting down writing, reading continues until the peer ends as well")
    func shutsWriting() throws {
        let pair = try TCPPair()
        #expect(try pair.client.write([7].span) == 1)
        try pair.client.shutdown(.write)
        #expect(try pair.server.readToEnd() == [7])
        #expect(try pair.server.write([8].span) == 1)
        #expect(try pair.client.readExactly(1) == [8])
        try pair.server.shutdown(.write)
        #expect(try pair.client.readToEnd() == [])
    }

    @Test("after shutting down reading, reads return end of file and writing continues")
    func shutsReading() throws {
        let pair = try TCPPair()
        try pair.client.shutdown(.read)
        var received: [UInt8] = []
        #expect(try received.append(from: pair.client) == 0)
        #expect(try pair.client.write([1].span) == 1)
        #expect(try pair.server.readExactly(1) == [1])
    }

    @Test("shutting down both ends both directions")
    func shutsBoth() throws {
        let pair = try TCPPair()
        try pair.client.shutdown(.both)
        var received: [UInt8] = []
        #expect(try received.append(from: pair.client) == 0)
        #expect(throws: Errno.brokenPipe) { _ = try pair.client.write([1].span) }
        #expect(try pair.server.readToEnd() == [])
    }

    @Test("peeked bytes are read again")
    func peeks() throws {
        let pair = try TCPPair()
        var peeked: [UInt8] = []
        var count: Int?
        try peeked.append(addingCapacity: 8) { count = try pair.server.peek(into: &$0) }
        #expect(count == nil)
        #expect(try pair.client.write([1, 2, 3].span) == 3)
        try pair.server.fileDescriptor.wait()
        for room in [2, 8] {
            peeked = []
            try peeked.append(addingCapacity: room) { count = try pair.server.peek(into: &$0) }
            #expect(count == min(room, 3) && peeked == Array([1, 2, 3].prefix(room)))
            var buffer = [UInt8](repeating: 9, count: room)
            #expect(try pair.server.peek(into: buffer.mutableSpan) == min(room, 3))
            #expect(buffer.prefix(3) == peeked[...])
        }
        #expect(try pair.server.readExactly(3) == [1, 2, 3])
        try pair.client.shutdown(.write)
        try pair.server.fileDescriptor.wait()
        try peeked.append(addingCapacity: 8) { count = try pair.server.peek(into: &$0) }
        #expect(count == 0)
    }

    @Test("several buffers are written in one call, and read into two buffers")
    func isVectored() throws {
        let pair = try TCPPair()
        #expect(try pair.client.write(parts: [[1], [2, 3]]) == 3)
        #expect(try pair.client.write(parts: [[4], [], [5]]) == 2)
        #expect(try pair.client.write(parts: [[], [6], [], [7, 8]]) == 3)
        #expect(try pair.client.write(parts: [[], []]) == 0)
        // Later writes wait for the acknowledgement of the first one.
        try pair.server.fileDescriptor.wait(forUnread: 8)
        #expect(try readInTwo(pair.server, 3, 8) == [[1, 2, 3], [4, 5, 6, 7, 8]])
        #expect(try pair.client.write([9].span) == 1)
        try pair.server.fileDescriptor.wait()
        #expect(try readInTwo(pair.server, 4, 4) == [[9], []])
        #expect(try readInTwo(pair.server, 4, 4) == nil)
        #expect(try pair.client.write([10].span) == 1)
        try pair.server.fileDescriptor.wait()
        #expect(try readInTwo(pair.server, 0, 4) == [[], [10]])
    }

    @Test("a write accepts as much as fits, then nothing, and continues after the peer has read")
    func fillsUp() throws {
        let pair = try TCPPair()
        let chunk = [UInt8](repeating: 7, count: 1 << 20)
        var written = 0
        // An acknowledgement in transit makes room once more.
        try eventually("both kinds of writes to find no room") {
            while let count = try pair.client.write(chunk.span) {
                #expect(count > 0 && count <= chunk.count)
                written += count
            }
            guard let count = try pair.client.write(parts: [[1], [2]]) else { return true }
            written += count
            return false
        }
        #expect(try pair.server.readExactly(written).count == written)
        try pair.client.fileDescriptor.wait(for: POLLOUT)
        #expect(try pair.client.write([1].span) == 1)
        #expect(try pair.server.readExactly(1) == [1])
    }

    @Test("the time to live has a default, and a new value is kept", arguments: families)
    func livesAsLong(family: IPAddress.Family) throws {
        let pair = try TCPPair(family)
        let first = try pair.client.timeToLive()
        #expect((1...255).contains(first))
        for hops in [1, 33, 255] {
            try pair.client.setTimeToLive(hops)
            #expect(try pair.client.timeToLive() == hops)
        }
        #expect(throws: Errno.invalidArgument) { try pair.client.setTimeToLive(256) }
        #expect(throws: Errno.invalidArgument) { try pair.client.setTimeToLive(.max) }
        try pair.client.setTimeToLive(-1)
        #expect(try pair.client.timeToLive() == first)
        #expect(try pair.server.timeToLive() == first)
    }

    @Test("small writes wait for acknowledgements unless no-delay is set")
    func delays() throws {
        let pair = try TCPPair()
        #expect(try !pair.client.noDelay())
        try pair.client.setNoDelay(true)
        #expect(try pair.client.noDelay() && !pair.server.noDelay())
        try pair.client.setNoDelay(false)
        #expect(try !pair.client.noDelay())
    }

    @Test(
        "a silent peer is probed after whole seconds, then at intervals of a ninth",
        arguments: [
            (Duration.seconds(90), 90, 10), (.milliseconds(1), 1, 1), (.milliseconds(9001), 10, 2),
        ] as [(Duration, Int32, Int32)]
    )
    func keepsAlive(idle: Duration, seconds: Int32, interval: Int32) throws {
        let pair = try TCPPair()
        let client = pair.client.fileDescriptor
        #expect(try client.option(SOL_SOCKET, SO_KEEPALIVE) == 0)
        try pair.client.setKeepAlive(idle)
        #expect(try client.option(SOL_SOCKET, SO_KEEPALIVE) == 1)
        #expect(try client.option(Int32(IPPROTO_TCP), TCP_KEEPIDLE) == seconds)
        #expect(try client.option(Int32(IPPROTO_TCP), TCP_KEEPINTVL) == interval)
        try pair.client.setKeepAlive(nil)
        #expect(try client.option(SOL_SOCKET, SO_KEEPALIVE) == 0)
        #expect(throws: Errno.invalidArgument) { try pair.client.setKeepAlive(.seconds(1 << 20)) }
    }

    @Test("the timeout for unacknowledged bytes is kept in milliseconds, rounded up")
    func timesOut() throws {
        let pair = try TCPPair()
        let client = pair.client.fileDescriptor
        try pair.client.setUserTimeout(.microseconds(1_499_001))
        #expect(try client.option(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 1500)
        try pair.client.setUserTimeout(nil)
        #expect(try client.option(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 0)
    }

    @Test("buffers have at least the requested size")
    func buffers() throws {
        let pair = try TCPPair()
        try pair.client.setReceiveBufferSize(16_384)
        #expect(try pair.client.receiveBufferSize() == 32_768)
        try pair.client.setSendBufferSize(16_384)
        #expect(try pair.client.sendBufferSize() == 32_768)
        // The kernel caps the size without an error.
        try pair.client.setSendBufferSize(.max)
        #expect(try pair.client.sendBufferSize() > 32_768)
    }

    @Test("a read into an empty buffer traps, because its 0 would look like end of file")
    func trapsWithoutRoom() async {
        await #expect(processExitsWith: .failure) {
            let pair = try TCPPair()
            var bytes: [UInt8] = []
            survives { try bytes.append(addingCapacity: 0) { _ = try pair.client.read(into: &$0) } }
        }
        await #expect(processExitsWith: .failure) {
            let pair = try TCPPair()
            var bytes: [UInt8] = []
            survives { try bytes.append(addingCapacity: 0) { _ = try pair.client.peek(into: &$0) } }
        }
        await #expect(processExitsWith: .failure) {
            let pair = try TCPPair()
            var empty: [UInt8] = []
            survives { _ = try pair.client.peek(into: empty.mutableSpan) }
        }
        await #expect(processExitsWith: .failure) {
            let pair = try TCPPair()
            survives { _ = try readInTwo(pair.client, 0, 0) }
        }
    }
}

private let families: [IPAddress.Family] = [.v4, .v6]

/// Returns a client whose server has reset the connection.
private func resetClient(_ family: IPAddress.Family = .v4) throws -> TCPStream {
    let pair = try TCPPair(family)
    let client = pair.resetServer()
    try client.fileDescriptor.wait()
    return client
}

extension TCPPair {
    consuming func resetServer() -> TCPStream {
        server.reset()
        return client
    }
}

/// Reads once into two buffers of `room` bytes each; returns `nil` if nothing was available.
private func readInTwo(
    _ stream: borrowing some StreamSocket & ~Copyable,
    _ firstRoom: Int,
    _ secondRoom: Int
) throws -> [[UInt8]]? {
    var first: [UInt8] = []
    var second: [UInt8] = []
    var count: Int?
    try first.append(addingCapacity: firstRoom) { head in
        try second.append(addingCapacity: secondRoom) { tail in
            count = try stream.read(into: &head, &tail)
        }
    }
    guard let count else { return nil }
    try #require(count == first.count + second.count)
    return [first, second]
}
#endif
