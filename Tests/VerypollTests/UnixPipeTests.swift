#if OSExt
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("UnixPipe")
struct UnixPipeTests {
    @Test("bytes pass from the sender to the receiver in order")
    func carriesBytes() throws {
        let pipe = try UnixPipe()
        #expect(try read(pipe.receiver) == nil)
        #expect(try pipe.sender.write([1, 2, 3].span) == 3)
        #expect(try pipe.sender.write([4].span) == 1)
        #expect(try read(pipe.receiver, room: 3) == [1, 2, 3])
        #expect(try read(pipe.receiver) == [4])
        #expect(try read(pipe.receiver) == nil)
    }

    @Test("several buffers are written in one call, and read into two buffers")
    func isVectored() throws {
        let pipe = try UnixPipe()
        let runs: [[UInt8]] = [[1], [2, 3], [], [4, 5]]
        let (first, second, third, fourth) = (runs[0], runs[1], runs[2], runs[3])
        #expect(try pipe.sender.write(first.span, second.span) == 3)
        #expect(try pipe.sender.write(third.span, fourth.span, first.span) == 3)
        #expect(try pipe.sender.write(first.span, second.span, third.span, fourth.span) == 5)
        #expect(try readInTwo(pipe.receiver, 2, 4) == [[1, 2], [3, 4, 5, 1]])
        #expect(try readInTwo(pipe.receiver, 8, 8) == [[1, 2, 3, 4, 5], []])
        #expect(try readInTwo(pipe.receiver, 8, 8) == nil)
    }

    @Test("a read into existing bytes replaces the first ones, and returns their number")
    func readsOverBytes() throws {
        let pipe = try UnixPipe()
        var bytes: [UInt8] = [1, 2, 3]
        #expect(try pipe.receiver.read(into: bytes.mutableSpan) == nil)
        #expect(try pipe.sender.write([8, 9].span) == 2)
        #expect(try pipe.receiver.read(into: bytes.mutableSpan) == 2)
        #expect(bytes == [8, 9, 3])
    }

    @Test("after all senders close, the receiver reads the rest and then end of file")
    func ends() throws {
        let receiver = try pipeWithoutSender()
        #expect(try read(receiver) == [9])
        #expect(try read(receiver) == [])
        #expect(try read(receiver) == [])
    }

    @Test("a full pipe accepts nothing, and small writes are atomic")
    func fillsUp() throws {
        let pipe = try UnixPipe()
        let block = [UInt8](repeating: 7, count: 4096)
        var written = 0
        while let count = try pipe.sender.write(block.span) {
            #expect(count == 4096)
            written += count
        }
        #expect(try read(pipe.receiver, room: 4096)?.count == 4096)
        #expect(try pipe.sender.write(block.span) == 4096)
        #expect(try pipe.sender.write(block.span) == nil)
        var rest = 0
        while let bytes = try read(pipe.receiver) { rest += bytes.count }
        #expect(rest == written)
    }

    @Test("writing to a pipe without a reader throws `brokenPipe`, without SIGPIPE")
    func breaks() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let sender = try pipeWithoutReceiver()
            for _ in 0..<3 {
                #expect(throws: Errno.brokenPipe) { _ = try sender.write([1].span) }
            }
        }
    }

    @Test("reads of a blocking pipe wait, and reads of a non-blocking one do not")
    func blocks() throws {
        let pipe = try UnixPipe()
        #expect(pipe.sender.fileDescriptor.isNonBlocking)
        #expect(pipe.receiver.fileDescriptor.isNonBlocking)
        try pipe.sender.setNonBlocking(false)
        #expect(!pipe.sender.fileDescriptor.isNonBlocking)
        #expect(pipe.receiver.fileDescriptor.isNonBlocking)
        try pipe.receiver.setNonBlocking(false)
        #expect(!pipe.receiver.fileDescriptor.isNonBlocking)
        let ends = Held(pipe)
        try whenAsleep {
            let sent = try ends.value.sender.write([1].span)
            #expect(sent == 1)
        }
        #expect(try read(ends.value.receiver) == [1])
        try ends.value.receiver.setNonBlocking(true)
        #expect(try read(ends.value.receiver) == nil)
    }

    @Test("release gives up ownership of an end and leaves it open")
    func releases() throws {
        let pipe = try UnixPipe()
        let (sender, receiver) = pipe.release()
        let written = try UnixPipe.Sender(adopting: OwnedFD(adopting: sender))
        let read = try UnixPipe.Receiver(adopting: OwnedFD(adopting: receiver))
        #expect(try written.write([1].span) == 1)
        #expect(try VerypollTests.read(read) == [1])
    }

    @Test("a read into an empty buffer traps, because its 0 would look like end of file")
    func trapsWithoutRoom() async {
        await #expect(processExitsWith: .failure) {
            let pipe = try UnixPipe()
            survives { _ = try read(pipe.receiver, room: 0) }
        }
        await #expect(processExitsWith: .failure) {
            let pipe = try UnixPipe()
            survives { _ = try readInTwo(pipe.receiver, 0, 0) }
        }
    }

    @Test("bytes wake the receiver and room wakes the sender, again for each edge")
    func reports() throws {
        var poll = try Poll()
        let pipe = try UnixPipe()
        try poll.registry.register(pipe.receiver, token: Token(1), interest: .readable)
        try poll.registry.register(pipe.sender, token: Token(2), interest: .writable)
        let writable = try expectEvent(Token(2), from: &poll)
        #expect(writable.isWritable && !writable.isReadable && !writable.isWriteClosed)
        for _ in 0..<2 {
            let block = [UInt8](repeating: 7, count: 65_536)
            while try pipe.sender.write(block.span) != nil {}
            let readable = try expectEvent(Token(1), from: &poll)
            #expect(readable.isReadable && !readable.isReadClosed)
            while try read(pipe.receiver) != nil {}
            #expect(try expectEvent(Token(2), from: &poll).isWritable)
        }
    }

    @Test("end of file wakes the receiver")
    func reportsEnd() throws {
        var poll = try Poll()
        let receiver = try pipeWithoutSender()
        try poll.registry.register(receiver, token: Token(1), interest: .readable)
        let event = try expectEvent(Token(1), from: &poll)
        #expect(event.isReadable && event.isReadClosed)
        #expect(try read(receiver) == [9])
        #expect(try read(receiver) == [])
    }

    @Test("closing the last receiver wakes the sender")
    func reportsBreak() throws {
        var poll = try Poll()
        let sender = try pipeWithoutReceiver()
        try poll.registry.register(sender, token: Token(1), interest: .writable)
        let event = try expectEvent(Token(1), from: &poll)
        #expect(event.isWriteClosed && event.isError)
    }
}

extension UnixPipe {
    /// Closes the sender and returns the receiver.
    fileprivate consuming func dropSender() -> Receiver { receiver }

    /// Closes the receiver and returns the sender.
    fileprivate consuming func dropReceiver() -> Sender { sender }

    /// Releases both ends, the sender first.
    fileprivate consuming func release() -> (FileDescriptor, FileDescriptor) {
        (sender.release().release(), receiver.release().release())
    }
}

private func pipeWithoutSender() throws -> UnixPipe.Receiver {
    let pipe = try UnixPipe()
    #expect(try pipe.sender.write([9].span) == 1)
    let receiver = pipe.dropSender()
    try receiver.fileDescriptor.waitForEnd()
    return receiver
}

private func pipeWithoutReceiver() throws -> UnixPipe.Sender {
    let pipe = try UnixPipe()
    let sender = pipe.dropReceiver()
    try sender.fileDescriptor.waitForEnd()
    return sender
}

/// Returns the bytes of one read, `nil` if the pipe is empty, or no bytes at end of file.
func read(_ pipe: borrowing UnixPipe.Receiver, room: Int = 65_536) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    var count: Int?
    try bytes.append(addingCapacity: room) { count = try pipe.read(into: &$0) }
    return count == nil ? nil : bytes
}

/// Returns the bytes of one read into two buffers.
private func readInTwo(
    _ pipe: borrowing UnixPipe.Receiver,
    _ firstRoom: Int,
    _ secondRoom: Int
) throws -> [[UInt8]]? {
    var first: [UInt8] = []
    var second: [UInt8] = []
    var count: Int?
    try first.append(addingCapacity: firstRoom) { head in
        try second.append(addingCapacity: secondRoom) { count = try pipe.read(into: &head, &$0) }
    }
    return count == nil ? nil : [first, second]
}
#endif
