#if OSExt
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("ProcessSource")
struct ProcessSourceTests {
    @Test("a child's exit is an event, and yields its exit status", arguments: [0, 3, 255])
    func exits(status: Int32) throws {
        var poll = try Poll()
        let process = try Shell("read line; exit \(status)")
        try poll.registry.register(process.source, token: Token(1), interest: .readable)
        #expect(try process.source.termination() == nil)
        #expect(try pendingEvents(in: &poll).isEmpty)
        process.goOn()
        #expect(try expectEvent(Token(1), from: &poll).isReadable)
        #expect(try process.source.termination() == .exited(status))
    }

    @Test("a child killed by a signal reports which signal", arguments: [Signal.terminate, .user1])
    func isKilled(signal: Signal) throws {
        var poll = try Poll()
        let process = try Shell("read line")
        try poll.registry.register(process.source, token: Token(1), interest: .readable)
        try process.source.send(signal)
        _ = try expectEvent(Token(1), from: &poll)
        #expect(try process.source.termination() == .signaled(signal))
    }

    @Test("the exit is collected once; afterwards the process is not a child and gets no signals")
    func isReapedOnce() throws {
        let process = try Shell("exit 7")
        try process.source.fileDescriptor.wait()
        // The process has exited but was not waited for, so a signal can still be sent to it.
        try process.source.send(.terminate)
        #expect(try process.source.termination() == .exited(7))
        #expect(throws: Errno.noChildProcess) { _ = try process.source.termination() }
        #expect(throws: Errno.noSuchProcess) { try process.source.send(.terminate) }
    }

    @Test("a process that does not exist is `noSuchProcess`")
    func needsProcess() throws {
        let process = try Shell("exit 0")
        try process.source.fileDescriptor.wait()
        _ = try process.source.termination()
        // The PID is unused now, unless the kernel has already reused it.
        #expect(throws: Errno.noSuchProcess) {
            _ = try ProcessSource(processID: process.processID)
        }
    }

    @Test("another parent's process can be watched, but its exit status not collected")
    func watchesOthers() throws {
        var poll = try Poll()
        let parent = try ProcessSource(processID: getppid())
        try poll.registry.register(parent, token: Token(1), interest: .readable)
        #expect(try pendingEvents(in: &poll).isEmpty)
        #expect(throws: Errno.noChildProcess) { _ = try parent.termination() }
    }

    @Test("several sources of one process all report its exit")
    func isWatchedTwice() throws {
        var poll = try Poll()
        let process = try Shell("read line")
        let second = try ProcessSource(processID: process.processID)
        try poll.registry.register(process.source, token: Token(1), interest: .readable)
        try poll.registry.register(second, token: Token(2), interest: .readable, mode: .level)
        process.goOn()
        var tokens: Set<Token> = []
        while tokens.count < 2 { tokens.formUnion(try expectEvents(1, from: &poll).map(\.token)) }
        #expect(try second.termination() == .exited(0))
        #expect(throws: Errno.noChildProcess) { _ = try process.source.termination() }
    }

    @Test("release gives up ownership of the pidfd and leaves it open for adoption")
    func releases() throws {
        let process = try Shell("read line")
        let pidfd = try ProcessSource(processID: process.processID).release()
        let adopted = ProcessSource(adopting: pidfd)
        #expect(try adopted.termination() == nil)
        process.goOn()
        try adopted.fileDescriptor.wait()
        #expect(try adopted.termination() == .exited(0))
    }
}

/// A shell started by a test; it exits when its input ends, at the latest.
private struct Shell: ~Copyable {
    let processID: Int32
    let source: ProcessSource
    private let input: FileDescriptor

    init(_ script: String) throws {
        let pipe = try FileDescriptor.pipe(options: .closeOnExec)
        let words = ["/bin/sh", "-c", script]
        let processID = try startProcess(words, input: pipe.readEnd, output: nil)
        try pipe.readEnd.close()
        let source = try ProcessSource(processID: processID)
        self.processID = processID
        self.input = pipe.writeEnd
        self.source = source
    }

    /// Lets the shell's `read` return.
    func goOn() {
        _ = try? input.writeAll([0x0A])
    }

    deinit {
        try? input.close()
        // Most tests have collected the exit already; the signal then has no target.
        try? source.send(Signal(rawValue: SIGKILL))
        _ = try? source.fileDescriptor.wait()
        _ = try? source.termination()
    }
}
#endif
