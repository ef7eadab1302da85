#if Net
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("UnixStream")
struct UnixStreamTests {
    @Test("the streams of a pair are connected and unnamed, and bytes pass both ways")
    func isAPair() throws {
        let pair = try UnixStream.pair()
        #expect(try pair.first.localAddress() == .unnamed)
        #expect(try pair.first.peerAddress() == .unnamed)
        #expect(try pair.first.finishConnect() == .connected)
        #expect(try pair.first.write([1, 2].span) == 2)
        #expect(try pair.second.write([3].span) == 1)
        #expect(try pair.second.readExactly(2) == [1, 2])
        #expect(try pair.first.readExactly(1) == [3])
        var received: [UInt8] = []
        #expect(try received.append(from: pair.first) == nil)
    }

    @Test("several buffers are written in one call, and read into two buffers")
    func isVectored() throws {
        let pair = try UnixStream.pair()
        #expect(try pair.first.write(parts: [[1], [2, 3]]) == 3)
        #expect(try pair.first.write(parts: [[], [4], [], [5]]) == 2)
        var first: [UInt8] = []
        var second: [UInt8] = []
        var count: Int?
        try first.append(addingCapacity: 2) { head in
            try second.append(addingCapacity: 8) { count = try pair.second.read(into: &head, &$0) }
        }
        #expect(count == 5 && first == [1, 2] && second == [3, 4, 5])
    }

    @Test("a read into existing bytes replaces the first ones, and returns their number")
    func readsOverBytes() throws {
        let pair = try UnixStream.pair()
        var bytes: [UInt8] = [1, 2, 3, 4]
        #expect(try pair.first.read(into: bytes.mutableSpan) == nil)
        #expect(try pair.second.write([8, 9].span) == 2)
        #expect(try pair.first.read(into: bytes.mutableSpan) == 2)
        #expect(bytes == [8, 9, 3, 4])
        try pair.second.shutdown(.write)
        #expect(try pair.first.read(into: bytes.mutableSpan) == 0)
        #expect(bytes == [8, 9, 3, 4])
    }

    @Test("peeked bytes are read again")
    func peeks() throws {
        let pair = try UnixStream.pair()
        #expect(try pair.first.write([1, 2, 3].span) == 3)
        var peeked: [UInt8] = []
        for _ in 0..<2 {
            try peeked.append(addingCapacity: 8) { _ = try pair.second.peek(into: &$0) }
        }
        #expect(peeked == [1, 2, 3, 1, 2, 3])
        var buffer: [UInt8] = [9, 9, 9, 9]
        #expect(try pair.second.peek(into: buffer.mutableSpan) == 3)
        #expect(buffer == [1, 2, 3, 9])
        #expect(try pair.second.readExactly(3) == [1, 2, 3])
    }

    @Test("shutting down writing ends the peer's reading, and leaves the other direction open")
    func shutsWriting() throws {
        let pair = try UnixStream.pair()
        #expect(try pair.first.write([1].span) == 1)
        try pair.first.shutdown(.write)
        #expect(try pair.second.readToEnd() == [1])
        #expect(throws: Errno.brokenPipe) { _ = try pair.first.write([2].span) }
        #expect(try pair.second.write([3].span) == 1)
        #expect(try pair.first.readExactly(1) == [3])
    }

    @Test("shutting down reading ends the peer's writing, and leaves the other direction open")
    func shutsReading() throws {
        let pair = try UnixStream.pair()
        try pair.first.shutdown(.read)
        #expect(throws: Errno.brokenPipe) { _ = try pair.second.write([1].span) }
        #expect(try pair.first.readToEnd() == [])
        #expect(try pair.first.write([2].span) == 1)
        #expect(try pair.second.readExactly(1) == [2])
    }

    @Test("shutting down both ends both directions")
    func shutsBoth() throws {
        let pair = try UnixStream.pair()
        try pair.first.shutdown(.both)
        #expect(throws: Errno.brokenPipe) { _ = try pair.first.write([1].span) }
        #expect(throws: Errno.brokenPipe) { _ = try pair.second.write([1].span) }
        #expect(try pair.first.readToEnd() == [])
        #expect(try pair.second.readToEnd() == [])
    }

    @Test("writing to a closed peer throws `brokenPipe`, without SIGPIPE")
    func breaks() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let stream = try widow()
            #expect(throws: Errno.brokenPipe) { _ = try stream.write([1].span) }
            #expect(throws: Errno.brokenPipe) { _ = try stream.write(parts: [[1], [2]]) }
            #expect(throws: Errno.brokenPipe) { _ = try stream.send([1].span, passing: []) }
        }
    }

    @Test("a peer that closes with unread bytes resets the connection")
    func resets() throws {
        let stream = try widow(unread: 3)
        var received: [UInt8] = []
        #expect(throws: Errno.connectionReset) { _ = try received.append(from: stream) }
        #expect(try received.append(from: stream) == 0)
    }

    @Test("buffers have at least the requested size")
    func buffers() throws {
        let pair = try UnixStream.pair()
        try pair.first.setSendBufferSize(16_384)
        #expect(try pair.first.sendBufferSize() == 32_768)
        try pair.first.setReceiveBufferSize(16_384)
        #expect(try pair.first.receiveBufferSize() == 32_768)
        #expect(try pair.first.takeError() == nil)
    }

    @Test("a read into an empty buffer traps, because its 0 would look like end of file")
    func trapsWithoutRoom() async {
        await #expect(processExitsWith: .failure) {
            let pair = try UnixStream.pair()
            var bytes: [UInt8] = []
            survives { try bytes.append(addingCapacity: 0) { _ = try pair.first.read(into: &$0) } }
        }
        await #expect(processExitsWith: .failure) {
            let pair = try UnixStream.pair()
            var bytes: [UInt8] = []
            survives { _ = try pair.first.read(into: bytes.mutableSpan) }
        }
        await #expect(processExitsWith: .failure) {
            let pair = try UnixStream.pair()
            var ancillary = AncillaryData()
            var bytes: [UInt8] = []
            survives {
                try bytes.append(addingCapacity: 0) { buffer in
                    _ = try pair.first.receive(into: &buffer, ancillary: &ancillary)
                }
            }
        }
    }

    #if OSPoll
    @Test("bytes and room are events again each time a stream was drained or full")
    func reports() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try poll.registry.register(pair.second, token: Token(2), interest: .writable)
        #expect(try expectEvent(Token(2), from: &poll).isWritable)
        let block = [UInt8](repeating: 7, count: 65_536)
        for _ in 0..<3 {
            while try pair.second.write(block.span) != nil {}
            #expect(try expectEvent(Token(1), from: &poll).isReadable)
            var received: [UInt8] = []
            while try received.append(from: pair.first) != nil {}
            #expect(try expectEvent(Token(2), from: &poll).isWritable)
        }
    }

    @Test("a stream is registered, reregistered and deregistered")
    func registers() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        #expect(try pendingEvents(in: &poll).isEmpty)
        try poll.registry.reregister(pair.first, token: Token(2), interest: .writable)
        #expect(try pendingEvents(in: &poll).map(\.token) == [Token(2)])
        try poll.registry.deregister(pair.first)
        #expect(try pair.second.write([1].span) == 1)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("the peer's half-close closes reading only, and its close closes both directions")
    func reportsEnds() throws {
        var poll = try Poll()
        let pair = try UnixStream.pair()
        try poll.registry.register(pair.first, token: Token(1), interest: .readable, mode: .level)
        try pair.second.shutdown(.write)
        let half = try expectEvent(Token(1), from: &poll)
        #expect(half.isReadable && half.isReadClosed && !half.isWriteClosed)
        let first = pair.dropSecond()
        try first.fileDescriptor.waitForEnd()
        let whole = try expectEvent(Token(1), from: &poll)
        #expect(whole.isReadClosed && whole.isWriteClosed && !whole.isError)
    }
    #endif
}

extension UnixStream.Pair {
    /// Closes the second stream and returns the first.
    consuming func dropSecond() -> UnixStream { first }
}

/// Returns a stream whose peer closed with `count` unread bytes.
private func widow(unread count: Int = 0) throws -> UnixStream {
    let pair = try UnixStream.pair()
    let bytes = [UInt8](repeating: 1, count: count)
    #expect(try pair.first.write(bytes.span) == count)
    let stream = pair.dropSecond()
    try stream.fileDescriptor.waitForEnd()
    return stream
}
#endif
