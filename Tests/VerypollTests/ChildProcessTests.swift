#if OSExt
import CTestSupport
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("Standard streams of a child process")
struct ChildProcessTests {
    @Test("a megabyte passes through a child and back, both directions at once in one poll")
    func streams() throws {
        var child = try Child("/bin/cat")
        let input = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let output = try child.converse(input)
        #expect(output == input)
        #expect(try child.process.termination() == .exited(0))
    }

    @Test("a child that answers only at end of input receives the end of input")
    func ends() throws {
        var child = try Child("/usr/bin/sort")
        let output = try child.converse(Array("pear\napple\nquince\n".utf8))
        #expect(String(decoding: output, as: UTF8.self) == "apple\npear\nquince\n")
        #expect(try child.process.termination() == .exited(0))
    }

    @Test("writing to a child that stopped reading fails with `brokenPipe`, without SIGPIPE")
    func breaks() throws {
        var child = try Child("/bin/true")
        #expect(try child.converse([UInt8](repeating: 0, count: 1 << 20)) == [])
        #expect(try child.process.termination() == .exited(0))
    }
}

/// A program between two pipes; one poll watches the program and both pipes.
private struct Child: ~Copyable {
    let process: ProcessSource
    private var input: UnixPipe.Sender?
    private let output: UnixPipe.Receiver
    private var poll: Poll

    init(_ path: String) throws {
        // As a process-spawning library returns them: blocking, and as bare descriptors.
        let input = try FileDescriptor.pipe(options: .closeOnExec)
        let output = try FileDescriptor.pipe(options: .closeOnExec)
        let processID = try startProcess([path], input: input.readEnd, output: output.writeEnd)
        try input.readEnd.close()
        try output.writeEnd.close()
        let process = try ProcessSource(processID: processID)
        let sender = try UnixPipe.Sender(adopting: OwnedFD(adopting: input.writeEnd))
        let receiver = try UnixPipe.Receiver(adopting: OwnedFD(adopting: output.readEnd))
        let poll = try Poll()
        try poll.registry.register(sender, token: Token(0), interest: .writable)
        try poll.registry.register(receiver, token: Token(1), interest: .readable)
        try poll.registry.register(process, token: Token(2), interest: .readable)
        self.poll = poll
        self.output = receiver
        self.input = consume sender
        self.process = process
    }

    /// Writes all of `bytes` and then end of file, and reads until end of file and until the child
    /// exits.
    mutating func converse(_ bytes: [UInt8]) throws -> [UInt8] {
        var rest = bytes[...]
        var received: [UInt8] = []
        var hasEnded = false
        var isRunning = true
        while !hasEnded || isRunning {
            for event in try expectEvents(1, from: &poll) {
                switch event.token {
                case Token(0): try write(&rest)
                case Token(1):
                    while let bytes = try VerypollTests.read(output) {
                        received += bytes
                        hasEnded = bytes.isEmpty
                        if hasEnded { break }
                    }
                default: isRunning = false
                }
            }
        }
        return received
    }

    private mutating func write(_ rest: inout ArraySlice<UInt8>) throws {
        do throws(Errno) {
            while !rest.isEmpty {
                guard let count = try input?.write(rest.span) else { return }
                rest = rest.dropFirst(count)
            }
        } catch .brokenPipe {
            rest = []
        }
        input = nil
    }
}

/// Kernels before Linux 6.18 lack `RWF_NOSIGNAL`.
@Suite("UnixPipe on older kernels")
struct OldPipeTests {
    @Test("writing to a pipe without a reader throws `brokenPipe`, without SIGPIPE")
    func breaks() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            try #require(ctest_deny(CTEST_PWRITEV2, EOPNOTSUPP) == 0)
            #expect(ctest_probe(CTEST_PWRITEV2) == EOPNOTSUPP)
            let sender = try brokenSender()
            for _ in 0..<3 {
                #expect(throws: Errno.brokenPipe) { _ = try sender.write([1].span) }
            }
            #expect(try !blocksBrokenPipe() && !isBrokenPipePending())
        }
    }

    @Test("a pending SIGPIPE stays pending, and a blocked SIGPIPE stays blocked")
    func leavesPending() async {
        await #expect(processExitsWith: .success) {
            try #require(ctest_deny(CTEST_PWRITEV2, EOPNOTSUPP) == 0)
            var signals = sigset_t()
            unsafe sigemptyset(&signals)
            unsafe sigaddset(&signals, SIGPIPE)
            try #require(unsafe pthread_sigmask(SIG_BLOCK, &signals, nil) == 0)
            let sender = try brokenSender()
            #expect(throws: Errno.brokenPipe) { _ = try sender.write([1].span) }
            #expect(try blocksBrokenPipe() && !isBrokenPipePending())
            pthread_kill(pthread_self(), SIGPIPE)
            #expect(throws: Errno.brokenPipe) { _ = try sender.write([1].span) }
            #expect(try blocksBrokenPipe() && isBrokenPipePending())
        }
    }

    @Test("bytes pass through, and a full pipe accepts nothing")
    func carriesBytes() async {
        await #expect(processExitsWith: .success) {
            try #require(ctest_deny(CTEST_PWRITEV2, EOPNOTSUPP) == 0)
            let pipe = try UnixPipe()
            let (head, body): ([UInt8], [UInt8]) = ([1, 2], [3])
            #expect(try pipe.sender.write(head.span, body.span) == 3)
            #expect(try read(pipe.receiver) == [1, 2, 3])
            let block = [UInt8](repeating: 7, count: 65_536)
            while try pipe.sender.write(block.span) != nil {}
            #expect(try pipe.sender.write(head.span) == nil)
        }
    }
}

private func brokenSender() throws -> UnixPipe.Sender {
    let pipe = try UnixPipe()
    return pipe.sender
}

private func blocksBrokenPipe() throws -> Bool {
    var signals = sigset_t()
    try #require(unsafe pthread_sigmask(SIG_BLOCK, nil, &signals) == 0)
    return unsafe sigismember(&signals, SIGPIPE) == 1
}

private func isBrokenPipePending() throws -> Bool {
    var signals = sigset_t()
    try #require(unsafe sigpending(&signals) == 0)
    return unsafe sigismember(&signals, SIGPIPE) == 1
}
#endif
