import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("PollExecutor.run and shutdown")
struct RunShutdownTests {
    @Test("the work may wait for the end of its own executor, and run returns its result")
    func waitsForTheEnd() async throws {
        let result = try await onThread {
            try PollExecutor.run { executor in
                await executor.shutdown()
                #expect(!executor.isCurrent)
                return 7
            }
        }
        #expect(result == 7)
    }

    @Test("work that waits for something else when the executor ends is waited for")
    func waitsForOtherWork() async throws {
        let result = try await onThread {
            try PollExecutor.run { executor in
                Task(executorPreference: executor) { await executor.shutdown() }
                try await Task.sleep(for: .milliseconds(50))
                return 7
            }
        }
        #expect(result == 7)
    }

    @Test("a child task of the work may shut the executor down")
    func shutsDownFromChild() async throws {
        try await onThread {
            try PollExecutor.run { executor in
                let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
                try await withThrowingDiscardingTaskGroup { group in
                    group.addTask {
                        try await executor.sleep(until: .now + .milliseconds(20))
                        await executor.shutdown(until: .now + .milliseconds(50))
                    }
                    await #expect(throws: Errno.canceled) { try await listener.serve { _ in } }
                }
            }
        }
    }
}
