import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite struct PollExecutorTests {
    private struct Failure: Error, Equatable {}

    @Test("run returns what its body returns, and throws what it throws")
    func returns() throws {
        #expect(try PollExecutor.run { _ in 5 } == 5)
        #expect(throws: Failure()) { try PollExecutor.run { _ in throw Failure() } }
    }

    @Test("the body of run and its child tasks run on the thread of the executor")
    func staysOnThread() throws {
        try PollExecutor.run { executor in
            #expect(executor.isCurrent)
            await Task.yield()
            #expect(executor.isCurrent)
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 { group.addTask { executor.isCurrent } }
                for await isCurrent in group { #expect(isCurrent) }
            }
        }
    }

    @Test("a task that prefers a started executor runs on its thread")
    func starts() async throws {
        let executor = try PollExecutor.start()
        #expect(!executor.isCurrent)
        let isCurrent = await Task(executorPreference: executor) { executor.isCurrent }.value
        #expect(isCurrent)
        #expect(await withTaskExecutorPreference(executor) { executor.isCurrent })
        await executor.shutdown()
    }

    @Test("jobs from many threads all run")
    func runsForeignJobs() async throws {
        let executor = try PollExecutor.start()
        let total = await withTaskGroup(of: Int.self) { group in
            for number in 0..<1_000 {
                group.addTask {
                    await Task(executorPreference: executor) { number }.value
                }
            }
            return await group.reduce(0, +)
        }
        #expect(total == 499_500)
        await executor.shutdown()
    }

    @Test("a sleeping task never resumes early, and shorter sleeps resume first")
    func sleeps() throws {
        try PollExecutor.run { executor in
            let order = Log()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for milliseconds in [30, 5, 20, 1, 10, 0] {
                    group.addTask {
                        let deadline = Deadline.now + .milliseconds(milliseconds)
                        try await executor.sleep(until: deadline)
                        #expect(Deadline.now >= deadline)
                        order.append(milliseconds)
                    }
                }
                try await group.waitForAll()
            }
            #expect(order.entries == [0, 1, 5, 10, 20, 30])
        }
    }

    @Test("a canceled task stops sleeping")
    func cancelsSleep() throws {
        try PollExecutor.run { executor in
            let sleeper = Task(executorPreference: executor) {
                try await executor.sleep(until: .now + .seconds(3600))
            }
            await Task.yield()
            sleeper.cancel()
            await #expect(throws: Errno.canceled) { try await sleeper.value }
        }
    }

    @Test("a full executor refuses another source, and accepts one once another has gone")
    func limitsSources() throws {
        try PollExecutor.run(sourceLimit: 2) { executor in
            let first = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
            do {
                let second = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
                #expect(throws: Errno.tooManyOpenFiles) {
                    _ = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
                }
                _ = consume second
            }
            _ = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
            _ = consume first
        }
    }

    @Test("a task that never has to wait lets the others run")
    func isFair() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            _ = try pair.first.socket.write([UInt8](repeating: 1, count: 100_000).span)
            let isDone = Mutex(false)
            let peer = Task(executorPreference: executor) {
                // Goes through the poll: the byte must arrive while the other task reads.
                let other = try AsyncUnixStream.pair(on: executor)
                _ = try other.first.socket.write([1].span)
                var byte: [UInt8] = [0]
                _ = try await other.second.read(into: byte.mutableSpan)
                isDone.withLock { $0 = true }
            }
            var byte: [UInt8] = [0]
            var reads = 0
            while !isDone.withLock({ $0 }), reads < 100_000 {
                _ = try await pair.second.read(into: byte.mutableSpan)
                reads += 1
            }
            #expect(reads < 1_000)
            try await peer.value
        }
    }
}

/// Numbers that tasks append.
private final class Log: Sendable {
    private let storage = Mutex<[Int]>([])

    var entries: [Int] { storage.withLock { $0 } }

    func append(_ number: Int) {
        storage.withLock { $0.append(number) }
    }
}
