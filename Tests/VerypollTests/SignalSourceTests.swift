#if OSExt
import Foundation
import SystemPackage
import Testing
import Verypoll

// Each test runs on its own thread, which keeps its signals blocked afterwards, and sends signals
// to that thread only: the process's other threads have not blocked them.
@Suite("SignalSource")
struct SignalSourceTests {
    @Test("a blocked signal is an event, and is read once")
    func reads() throws {
        try joiningThread {
            var poll = try Poll()
            let signals = try SignalSource(blocking: [.user2])
            try poll.registry.register(signals, token: Token(3), interest: .readable)
            #expect(try signals.next() == nil)
            #expect(try pendingEvents(in: &poll).isEmpty)
            for _ in 0..<2 {
                pthread_kill(pthread_self(), SIGUSR2)
                #expect(try expectEvents(1, from: &poll).map(\.token) == [Token(3)])
                #expect(try signals.next() == .user2)
                #expect(try signals.next() == nil)
            }
        }
    }

    @Test("several signals arrive through one source, each with its number")
    func readsSeveral() throws {
        try joiningThread {
            var poll = try Poll()
            let all: [Signal] = [.hangUp, .user1, .user2, .terminate, .interrupt]
            let signals = try SignalSource(blocking: all)
            try poll.registry.register(signals, token: Token(3), interest: .readable)
            for signal in all { pthread_kill(pthread_self(), signal.rawValue) }
            _ = try expectEvents(1, from: &poll)
            var seen: Set<Signal> = []
            while let signal = try signals.next() { #expect(seen.insert(signal).inserted) }
            #expect(seen == Set(all))
        }
    }

    @Test("signals with one number that arrive before they are read are merged")
    func merges() throws {
        try joiningThread {
            let signals = try SignalSource(blocking: [.user1])
            for _ in 0..<10 { pthread_kill(pthread_self(), SIGUSR1) }
            #expect(try signals.next() == .user1)
            #expect(try signals.next() == nil)
        }
    }

    @Test("a signal outside the source's set is not reported")
    func leavesOthers() throws {
        try joiningThread {
            let other = try SignalSource(blocking: [.user2])
            let signals = try SignalSource(blocking: [.user1])
            pthread_kill(pthread_self(), SIGUSR2)
            #expect(try signals.next() == nil)
            #expect(try other.next() == .user2)
        }
    }

    @Test("a signal sent to a thread is read on that thread only")
    func isTheThreadsOwn() throws {
        try joiningThread {
            let signals = Held(try SignalSource(blocking: [.user1]))
            pthread_kill(pthread_self(), SIGUSR1)
            // A new thread inherits the blocked signals and has none pending.
            let elsewhere = try joiningThread { try signals.value.next() }
            #expect(elsewhere == nil)
            #expect(try signals.value.next() == .user1)
        }
    }

    @Test("signals stay blocked after their source is closed")
    func leavesThemBlocked() throws {
        try joiningThread {
            do { _ = try SignalSource(blocking: [.user1]) }
            pthread_kill(pthread_self(), SIGUSR1)
            #expect(try SignalSource(blocking: [.user1]).next() == .user1)
        }
    }

    @Test("an empty set of signals and an invalid signal number trap")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            survives { _ = try SignalSource(blocking: []) }
        }
        await #expect(processExitsWith: .failure) { survives { _ = Signal(rawValue: 0) } }
        await #expect(processExitsWith: .failure) { survives { _ = Signal(rawValue: 65) } }
    }

    @Test("a signal that cannot be blocked traps", arguments: [SIGKILL, SIGSTOP, 32, 33])
    func refuses(number: CInt) async {
        let result = await #expect(
            processExitsWith: .failure,
            observing: [\.standardErrorContent]
        ) { [number = number as CInt] in
            survives { _ = try SignalSource(blocking: [.terminate, Signal(rawValue: number)]) }
        }
        expectMessage("cannot be blocked", of: result)
    }

    @Test("a child inherits blocked signals, and none after they were unblocked")
    func isInherited() throws {
        try joiningThread {
            let signals = try SignalSource(blocking: [.user2, .terminate])
            let both: UInt64 = 1 << (SIGUSR2 - 1) | 1 << (SIGTERM - 1)
            #expect(try signalsBlockedInChild() & both == both)
            SignalSource.unblockAll()
            #expect(try signalsBlockedInChild() == 0)
            #expect(try signals.next() == nil)
        }
    }

    @Test("named signals have the system's numbers")
    func hasNumbers() {
        #expect(Signal.hangUp.rawValue == SIGHUP && Signal.interrupt.rawValue == SIGINT)
        #expect(Signal.user1.rawValue == SIGUSR1 && Signal.user2.rawValue == SIGUSR2)
        #expect(Signal.terminate.rawValue == SIGTERM && Signal.child.rawValue == SIGCHLD)
    }
}

/// Starts a program with the signal mask of the calling thread, and returns its mask.
private func signalsBlockedInChild() throws -> UInt64 {
    let pipe = try Tracer()
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, pipe.sender.fileDescriptor.rawValue, 1)
    let words = ["grep", "SigBlk", "/proc/self/status"]
    var arguments = unsafe words.map { word in unsafe strdup(word) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var child: pid_t = 0
    let problem = unsafe posix_spawnp(&child, words[0], &actions, nil, &arguments, environ)
    guard problem == 0 else { throw Errno(rawValue: problem) }
    var status: CInt = 0
    guard unsafe waitpid(child, &status, 0) == child else { throw Errno(rawValue: errno) }
    #expect(status == 0)
    var bytes = [UInt8](repeating: 0, count: 100)
    let receiver = pipe.receiver.fileDescriptor
    let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe receiver.read(into: $0) }
    let line = String(decoding: bytes[..<count], as: UTF8.self)
    let digits = line.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
    return try #require(UInt64(digits, radix: 16))
}
#endif
