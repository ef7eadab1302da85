#if OSExt
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("SourceFD")
struct SourceFDTests {
    @Test("any descriptor is a source, and stays its owner's")
    func borrows() throws {
        var poll = try Poll()
        let tracer = try Tracer()
        do {
            let source = SourceFD(tracer.receiver.fileDescriptor)
            #expect(source.fileDescriptor == tracer.receiver.fileDescriptor)
            try poll.registry.register(source, token: Token(1), interest: .readable)
        }
        #expect(try pendingEvents(in: &poll).isEmpty)
        #expect(try tracer.sender.fileDescriptor.writeAll([1]) == 1)
        #expect(try expectEvent(Token(1), from: &poll).isReadable)
        // Another of the same descriptor is the same source.
        let again = SourceFD(tracer.receiver.fileDescriptor)
        #expect(throws: Errno.fileExists) {
            try poll.registry.register(again, token: Token(2), interest: .readable)
        }
        try poll.registry.reregister(again, token: Token(2), interest: .readable)
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(2)])
        try poll.registry.deregister(again)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("its descriptor is lent to calls, whose would-block is nil")
    func lends() throws {
        var poll = try Poll()
        let pair = try ForeignPair()
        let source = SourceFD(pair.first.fileDescriptor)
        try poll.registry.register(source, token: Token(1), interest: .readable, mode: .level)
        let read = { (descriptor: FileDescriptor) throws(Errno) in
            var byte: UInt8 = 0
            let count = unsafe recv(descriptor.rawValue, &byte, 1, 0)
            if count < 0 { throw Errno(rawValue: errno) }
        }
        #expect(try source.withDescriptor(read) == nil)
        try pair.second.send()
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(1)])
        #expect(try source.withDescriptor(read) != nil)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("a descriptor that is not open is `badFileDescriptor`")
    func needsOpenDescriptor() throws {
        let poll = try Poll()
        // Far beyond what any test opens.
        let closed = SourceFD(FileDescriptor(rawValue: 1 << 28))
        #expect(throws: Errno.badFileDescriptor) {
            try poll.registry.register(closed, token: Token(1), interest: .readable)
        }
    }
}
#endif
