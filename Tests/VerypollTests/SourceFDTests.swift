#if OSExt
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("SourceFD")
struct SourceFDTests {
    @Test("any descriptor is a source, and its owner keeps it")
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
        // Another SourceFD of the same descriptor is the same source.
        let again = SourceFD(tracer.receiver.fileDescriptor)
        #expect(throws: Errno.fileExists) {
            try poll.registry.register(again, token: Token(2), interest: .readable)
        }
        try poll.registry.reregister(again, token: Token(2), interest: .readable)
        #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(2)])
        try poll.registry.deregister(again)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("the descriptor is lent to calls, and would-block becomes nil")
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
        // This number is far above any descriptor that a test opens.
        let closed = SourceFD(FileDescriptor(rawValue: 1 << 28))
        #expect(throws: Errno.badFileDescriptor) {
            try poll.registry.register(closed, token: Token(1), interest: .readable)
        }
    }

    @Test("bytes and room from other code are reported for each edge, in every mode")
    func reports() throws {
        var poll = try Poll()
        let (reader, writer) = try FileDescriptor.pipe(options: .closeOnExec)
        defer { for end in [reader, writer] { try? end.close() } }
        let source = SourceFD(reader)
        try poll.registry.register(source, token: Token(1), interest: .readable)
        for mode in [RegistrationMode.edge, .level, .oneShot, .edgeOneShot] {
            try poll.registry.reregister(source, token: Token(1), interest: .readable, mode: mode)
            for _ in 0..<3 {
                #expect(try pendingEvents(in: &poll).isEmpty)
                #expect(try writer.writeAll([7]) == 1)
                #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(1)])
                #expect(try read(reader) == [7])
                if mode == .edge || mode == .level { continue }
                try poll.registry.reregister(
                    source,
                    token: Token(1),
                    interest: .readable,
                    mode: mode
                )
            }
        }
    }

    @Test("a descriptor closed by its owner causes no more events, and its number can be reused")
    func closes() async {
        // Run in a process where no other test opens or closes descriptors.
        await #expect(processExitsWith: .success) {
            var poll = try Poll()
            for number in 0..<3 {
                let (reader, writer) = try FileDescriptor.pipe()
                let (source, token) = (SourceFD(writer), Token(number))
                try poll.registry.register(source, token: token, interest: .writable, mode: .level)
                #expect(try pendingEvents(in: &poll).map(\.token) == [token])
                try reader.close()
                try writer.close()
                #expect(try pendingEvents(in: &poll).isEmpty)
                #expect(throws: Errno.badFileDescriptor) { try poll.registry.deregister(source) }
            }
        }
    }

    @Test("a regular file is `notPermitted`, because it is always ready")
    func refusesFiles() throws {
        let poll = try Poll()
        let path = FilePath(#filePath)
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        defer { try? file.close() }
        #expect(throws: Errno.notPermitted) {
            try poll.registry.register(SourceFD(file), token: Token(1), interest: .readable)
        }
    }

    private func read(_ descriptor: FileDescriptor) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
        return Array(bytes.prefix(count))
    }
}
#endif
