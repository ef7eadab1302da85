#if Net
import CTestSupport
import Foundation
import SystemPackage
import Testing
import Verypoll

// A pipe shows whether a descriptor was closed everywhere: its read end reaches end of file only
// then.
@Suite("AncillaryData: passed descriptors")
struct AncillaryDataTests {
    @Test("the receiver owns a passed descriptor, and it is close-on-exec")
    func passesOne() throws {
        let pair = try UnixStream.pair()
        let tracer = try Tracer()
        let sender = tracer.sender.fileDescriptor
        #expect(try pair.first.send([7].span, passing: [sender]) == 1)
        let end = tracer.closeSender()
        do {
            var ancillary = AncillaryData()
            #expect(try receive(from: pair.second, into: &ancillary) == [7])
            #expect(ancillary.descriptorCount == 1 && !ancillary.isTruncated)
            #expect(ancillary.credentials == nil)
            let descriptor = try take(from: &ancillary)
            #expect(ancillary.descriptorCount == 0)
            #expect((ancillary.takeDescriptor() == nil) == true)
            #expect(descriptor.fileDescriptor.closesOnExec)
            #expect(try descriptor.fileDescriptor.writeAll([1]) == 1)
            #expect(try !end.isAtEnd())
            ancillary.removeAll()
            #expect(try !end.isAtEnd())
        }
        try end.expectEnd()
    }

    @Test("up to 253 descriptors arrive in the order they were passed", arguments: [3, 253])
    func passesMany(count: Int) throws {
        let pair = try UnixStream.pair()
        let tracers = try (0..<3).map { _ in Held(try Tracer()) }
        let descriptors = (0..<count).map { tracers[$0 % 3].value.sender.fileDescriptor }
        #expect(try pair.first.send([1].span, passing: descriptors) == 1)
        var ancillary = AncillaryData()
        #expect(try receive(from: pair.second, into: &ancillary) == [1])
        #expect(ancillary.descriptorCount == count)
        for index in 0..<count {
            let descriptor = try take(from: &ancillary)
            let number = [UInt8(truncatingIfNeeded: index)]
            #expect(try descriptor.fileDescriptor.writeAll(number) == 1)
            #expect(try read(tracers[index % 3].value.receiver) == number)
        }
        #expect((ancillary.takeDescriptor() == nil) == true)
    }

    @Test("passing over 253 descriptors, or one that is not open, fails and sends nothing")
    func limits() throws {
        let pair = try UnixStream.pair()
        let many = [FileDescriptor](repeating: .standardError, count: 254)
        #expect(throws: Errno.invalidArgument) {
            _ = try pair.first.send([1].span, passing: many)
        }
        let closed = FileDescriptor(rawValue: 1 << 28)
        #expect(throws: Errno.badFileDescriptor) {
            _ = try pair.first.send([1].span, passing: [.standardError, closed])
        }
        var ancillary = AncillaryData()
        #expect(try receive(from: pair.second, into: &ancillary) == nil)
        #expect(ancillary.descriptorCount == 0)
    }

    @Test("untaken descriptors close with the next receive, with removeAll, or at the end of scope")
    func closesTheRest() throws {
        let pair = try UnixStream.pair()
        let ends = try (0..<3).map { _ in
            let tracer = try Tracer()
            let sender = tracer.sender.fileDescriptor
            #expect(try pair.first.send([1].span, passing: [sender, sender, sender]) == 1)
            return Held(tracer.closeSender())
        }
        do {
            var ancillary = AncillaryData()
            #expect(try receive(from: pair.second, into: &ancillary) == [1])
            // One of three is taken and closed at once; the other two are not.
            do { _ = try take(from: &ancillary) }
            #expect(try !ends[0].value.isAtEnd())
            #expect(try receive(from: pair.second, into: &ancillary) == [1])
            try ends[0].value.expectEnd()
            #expect(try !ends[1].value.isAtEnd())
            #expect(ancillary.descriptorCount == 3)
            ancillary.removeAll()
            try ends[1].value.expectEnd()
            #expect(ancillary.descriptorCount == 0)
            #expect(try receive(from: pair.second, into: &ancillary) == [1])
            #expect(try !ends[2].value.isAtEnd())
            // A receive that returns nothing closes them as well.
            #expect(try receive(from: pair.second, into: &ancillary) == nil)
            try ends[2].value.expectEnd()
            #expect(ancillary.descriptorCount == 0)
        }
        let last = try Tracer()
        #expect(try pair.first.send([1].span, passing: [last.sender.fileDescriptor]) == 1)
        let end = last.closeSender()
        do {
            var ancillary = AncillaryData()
            #expect(try receive(from: pair.second, into: &ancillary) == [1])
            #expect(try !end.isAtEnd())
        }
        try end.expectEnd()
    }

    @Test("descriptors that do not fit are reported and closed", arguments: [0, 1, 5])
    func truncates(capacity: Int) throws {
        let pair = try UnixStream.pair()
        let tracer = try Tracer()
        let descriptors = [FileDescriptor](repeating: tracer.sender.fileDescriptor, count: 100)
        #expect(try pair.first.send([1].span, passing: descriptors) == 1)
        let end = tracer.closeSender()
        var ancillary = AncillaryData(descriptorCapacity: capacity)
        #expect(try receive(from: pair.second, into: &ancillary) == [1])
        #expect(ancillary.isTruncated == true)
        #expect(ancillary.descriptorCount >= capacity && ancillary.descriptorCount < 100)
        if ancillary.descriptorCount > 0 { #expect(try !end.isAtEnd()) }
        ancillary.removeAll()
        #expect(ancillary.isTruncated == false)
        try end.expectEnd()
    }

    @Test("descriptors that were truncated, taken or left do not leak")
    func leaksNothing() async {
        await #expect(processExitsWith: .success) {
            let pair = try UnixStream.pair()
            var ancillary = AncillaryData(descriptorCapacity: 2)
            let passed = [FileDescriptor](repeating: .standardError, count: 30)
            try expectNoLeak { () throws in
                #expect(try pair.first.send([1].span, passing: passed) == 1)
                #expect(try receive(from: pair.second, into: &ancillary) == [1])
                #expect(ancillary.isTruncated == true)
                _ = ancillary.takeDescriptor()
            }
            #expect(ancillary.descriptorCount < 30)
        }
    }

    @Test("reading bytes without asking for descriptors closes the descriptors")
    func closesUnread() throws {
        let pair = try UnixStream.pair()
        let tracer = try Tracer()
        #expect(try pair.first.send([1].span, passing: [tracer.sender.fileDescriptor]) == 1)
        let end = tracer.closeSender()
        #expect(try pair.second.readExactly(1) == [1])
        try end.expectEnd()
    }

    @Test("one receive returns the descriptors of one send, and leaves those of the next")
    func keepsApart() throws {
        let pair = try UnixStream.pair()
        let error = FileDescriptor.standardError
        #expect(try pair.first.send([1, 2].span, passing: [error]) == 2)
        #expect(try pair.first.send([3].span, passing: [error, error]) == 1)
        #expect(try pair.first.write([4].span) == 1)
        var ancillary = AncillaryData()
        #expect(try receive(from: pair.second, into: &ancillary) == [1, 2])
        #expect(ancillary.descriptorCount == 1)
        #expect(try receive(from: pair.second, into: &ancillary) == [3])
        #expect(ancillary.descriptorCount == 2)
        #expect(try receive(from: pair.second, into: &ancillary) == [4])
        #expect(ancillary.descriptorCount == 0)
    }

    @Test("descriptors travel with the first bytes that a stream accepts")
    func writesPartly() throws {
        let pair = try UnixStream.pair()
        // With a larger default buffer, the write would be complete.
        try pair.first.setSendBufferSize(16_384)
        let tracer = try Tracer()
        let bytes = (0..<1 << 21).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let sender = tracer.sender.fileDescriptor
        let sent = try #require(try pair.first.send(bytes.span, passing: [sender]))
        #expect(sent > 0 && sent < bytes.count)
        let end = tracer.closeSender()
        // Now the buffer is full, and no descriptor is passed.
        let other = try Tracer()
        #expect(try pair.first.send([1].span, passing: [other.sender.fileDescriptor]) == nil)
        let otherEnd = other.closeSender()
        try otherEnd.expectEnd()

        var ancillary = AncillaryData()
        var received = try #require(try receive(from: pair.second, into: &ancillary))
        #expect(ancillary.descriptorCount == 1)
        do { _ = try take(from: &ancillary) }
        try end.expectEnd()
        var rest = bytes[sent...]
        while received.count < bytes.count {
            while !rest.isEmpty, let count = try pair.first.write(rest.span) {
                rest = rest.dropFirst(count)
            }
            while let more = try receive(from: pair.second, into: &ancillary) {
                #expect(ancillary.descriptorCount == 0)
                received += more
            }
        }
        #expect(received == bytes)
    }

    @Test("a datagram, even an empty one, passes descriptors to its peer and to an address")
    func passesWithDatagrams() throws {
        let receiver = try UnixDatagram(binding: .unique())
        let address = try receiver.localAddress()
        let connected = try UnixDatagram()
        try connected.connect(to: address)
        let other = try UnixDatagram()
        let tracer = try Tracer()
        let passed = [tracer.sender.fileDescriptor]
        #expect(try connected.send([1, 2].span, passing: passed) == 2)
        #expect(try connected.send(Span(), passing: passed) == 0)
        #expect(try other.send([3].span, to: address, passing: passed) == 1)
        #expect(try other.send([4].span, to: address, passing: []) == 1)
        let end = tracer.closeSender()
        var ancillary = AncillaryData()
        for bytes in [[1, 2], [], [3]] as [[UInt8]] {
            #expect(try receive(from: receiver, into: &ancillary) == bytes)
            #expect(ancillary.descriptorCount == 1)
        }
        #expect(try receive(from: receiver, into: &ancillary) == [4])
        #expect(ancillary.descriptorCount == 0)
        try end.expectEnd()
        #expect(try receive(from: receiver, into: &ancillary) == nil)
    }

    @Test("a truncated datagram reports its full length, and its descriptors arrive whole")
    func cutsDatagrams() throws {
        let pair = try UnixDatagram.pair()
        #expect(try pair.first.send([1, 2, 3].span, passing: [.standardError]) == 3)
        var ancillary = AncillaryData()
        var bytes: [UInt8] = []
        var length: Int?
        try bytes.append(addingCapacity: 2) { buffer in
            length = try pair.second.receive(into: &buffer, ancillary: &ancillary)
        }
        #expect(length == 3 && bytes == [1, 2])
        #expect(ancillary.descriptorCount == 1 && !ancillary.isTruncated)
    }

    @Test("bytes with descriptors overwrite a mutable span from the start")
    func overwrites() throws {
        let pair = try UnixStream.pair()
        var ancillary = AncillaryData()
        var buffer: [UInt8] = [9, 9, 9]
        #expect(try pair.second.receive(into: buffer.mutableSpan, ancillary: &ancillary) == nil)
        #expect(try pair.first.send([1, 2].span, passing: [.standardError]) == 2)
        #expect(try pair.second.receive(into: buffer.mutableSpan, ancillary: &ancillary) == 2)
        #expect(buffer == [1, 2, 9] && ancillary.descriptorCount == 1)
        _ = consume pair
        let datagrams = try UnixDatagram.pair()
        #expect(try datagrams.first.send([5, 6, 7, 8].span, passing: [.standardError]) == 4)
        #expect(try datagrams.second.receive(into: buffer.mutableSpan, ancillary: &ancillary) == 4)
        #expect(buffer == [5, 6, 7] && ancillary.descriptorCount == 1)
    }

    @Test("passing descriptors to a socket that refuses them fails with `notPermitted`")
    func refuses() throws {
        let pair = try UnixStream.pair()
        do throws(Errno) {
            try pair.second.setReceivesDescriptors(false)
        } catch {
            // Before Linux 6.16.
            #expect(error == .protocolNotAvailable)
            return
        }
        #expect(throws: Errno.notPermitted) {
            _ = try pair.first.send([1].span, passing: [.standardError])
        }
        #expect(try pair.first.send([2].span, passing: []) == 1)
        try pair.second.setReceivesDescriptors(true)
        #expect(try pair.first.send([3].span, passing: [.standardError]) == 1)
        #expect(try pair.second.readExactly(2) == [2, 3])
    }

    @Test("descriptors without a byte to carry them on a stream trap, as does a capacity over 253")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            let pair = try UnixStream.pair()
            survives { _ = try pair.first.send(Span(), passing: [.standardError]) }
        }
        await #expect(processExitsWith: .failure) {
            let pair = try UnixStream.pair()
            var ancillary = AncillaryData()
            var empty: [UInt8] = []
            survives { _ = try pair.first.receive(into: empty.mutableSpan, ancillary: &ancillary) }
        }
        await #expect(processExitsWith: .failure) {
            survives { _ = AncillaryData(descriptorCapacity: 254) }
        }
        await #expect(processExitsWith: .failure) {
            survives { _ = AncillaryData(descriptorCapacity: -1) }
        }
    }
}

/// Takes a descriptor that must have arrived.
private func take(from ancillary: inout AncillaryData) throws -> OwnedFD {
    guard let descriptor = ancillary.takeDescriptor() else { throw Errno.noSuchFileOrDirectory }
    return descriptor
}

/// Returns the bytes in a pipe.
private func read(_ pipe: borrowing OwnedFD) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 16)
    let descriptor = pipe.fileDescriptor
    let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
    return Array(bytes.prefix(count))
}

/// Returns the bytes of one receive, or `nil` if nothing has arrived.
func receive(
    from socket: borrowing some UnixSocket & ~Copyable,
    into ancillary: inout AncillaryData
) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    var count: Int?
    try bytes.append(addingCapacity: 65_536) { buffer in
        count = try socket.receive(into: &buffer, ancillary: &ancillary)
    }
    return count == nil ? nil : bytes
}
#endif
