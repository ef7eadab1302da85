import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

// Each test runs its executor on a thread of its own, which keeps its signals blocked afterwards,
// and sends signals to that thread only: the process's other threads have not blocked them.
@Suite("AsyncSignals", .timeLimit(.minutes(1)))
struct AsyncSignalsTests {
    @Test("a task waits for a signal")
    func waits() throws {
        try onOwnThread { executor in
            let signals = try AsyncSignals([.user2], on: executor)
            for _ in 0..<3 {
                let task = Task(executorPreference: executor) { try await signals.next() }
                await letOthersWait()
                pthread_kill(pthread_self(), SIGUSR2)
                #expect(try await task.value == .user2)
            }
        }
    }

    @Test("a loop gets every signal, each with its number, until its task is canceled")
    func iterates() throws {
        try onOwnThread { executor in
            let all: [Signal] = [.hangUp, .user1, .user2, .terminate, .interrupt]
            let signals = try AsyncSignals(all, on: executor)
            let seen = Shared(try AsyncPipe(on: executor))
            let task = Task(executorPreference: executor) {
                for try await signal in signals {
                    try await seen.value.sender.writeAll([UInt8(signal.rawValue)])
                }
            }
            for signal in all { pthread_kill(pthread_self(), signal.rawValue) }
            let numbers = try await seen.value.receiver.read(exactly: all.count)
            #expect(Set(numbers) == Set(all.map { UInt8($0.rawValue) }))
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
        }
    }

    @Test("a wait ends at its deadline, and the next one gets the signal")
    func ends() throws {
        try onOwnThread { executor in
            let signals = try AsyncSignals([.user1], on: executor)
            let deadline = Deadline.now + .milliseconds(5)
            await #expect(throws: Errno.deadlineExceeded) {
                _ = try await signals.next(until: deadline)
            }
            #expect(Deadline.now >= deadline)
            pthread_kill(pthread_self(), SIGUSR1)
            #expect(try await signals.next() == .user1)
        }
    }

    @Test("signals with one number that arrive before the first is read are merged")
    func merges() throws {
        try onOwnThread { executor in
            let signals = try AsyncSignals([.user1], on: executor)
            for _ in 0..<10 { pthread_kill(pthread_self(), SIGUSR1) }
            #expect(try await signals.next() == .user1)
            await #expect(throws: Errno.deadlineExceeded) {
                _ = try await signals.next(until: .now)
            }
        }
    }
}

/// Runs `body` in a task of an executor on a new thread.
private func onOwnThread(
    _ body: @escaping @Sendable (PollExecutor) async throws -> Void
) throws {
    try ConcurrentWork { try PollExecutor.run(body) }.join()
}
