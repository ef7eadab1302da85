import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

/// Tasks of the global executor, whose sockets belong to an executor of their own.
@Suite struct ForeignTaskTests {
    @Test("a task of the global executor reads and writes a stream whole")
    func exchanges() async throws {
        let executor = try PollExecutor.start()
        let pair = try AsyncUnixStream.pair(on: executor)
        let writer = Owner(pair.first)
        let reader = Owner(pair.second)
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await writer.value.writeAll(bytes.span) }
            group.addTask {
                var received: [UInt8] = []
                while received.count < bytes.count {
                    _ = try await reader.value.read(appendingTo: &received, atMost: 30_000)
                }
                #expect(received == bytes)
            }
            try await group.waitForAll()
        }
        await executor.shutdown()
    }

    @Test("deadlines and cancellation work for a task of the global executor")
    func ends() async throws {
        let executor = try PollExecutor.start()
        let pair = try AsyncUnixStream.pair(on: executor)
        let reader = pair.first
        let peer = pair.second
        let deadline = Deadline.now + .milliseconds(5)
        do throws(Errno) {
            var byte: [UInt8] = [0]
            _ = try await reader.read(into: byte.mutableSpan, until: deadline)
            Issue.record("read something")
        } catch {
            #expect(error == .deadlineExceeded)
            #expect(Deadline.now >= deadline)
        }
        let task = Task {
            var byte: [UInt8] = [0]
            return try await reader.read(into: byte.mutableSpan)
        }
        task.cancel()
        await #expect(throws: Errno.canceled) { try await task.value }
        try await executor.sleep(until: .now + .milliseconds(1))
        _ = peer
        await executor.shutdown()
    }

    @Test("a socket that is used on both sides in turn loses no byte")
    func alternates() async throws {
        let executor = try PollExecutor.start()
        let pair = try AsyncUnixStream.pair(on: executor)
        let reader = Owner(pair.first)
        let writer = Owner(pair.second)
        let rounds = 2_000
        async let sent: Void = {
            for round in 0..<rounds {
                try await writer.value.writeAll([UInt8(truncatingIfNeeded: round)].span)
                if round % 7 == 0 { await Task.yield() }
            }
        }()
        for round in 0..<rounds {
            let isForeign = round % 3 == 0
            let byte = try await withTaskExecutorPreference(isForeign ? nil : executor) {
                var byte: [UInt8] = [0]
                _ = try await reader.value.read(into: byte.mutableSpan)
                return byte[0]
            }
            #expect(byte == UInt8(truncatingIfNeeded: round))
        }
        try await sent
        await executor.shutdown()
    }

    @Test("sources may be created and closed by tasks of any executor")
    func createsAnywhere() async throws {
        let executor = try PollExecutor.start()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    for _ in 0..<200 {
                        let pair = try AsyncUnixStream.pair(on: executor)
                        try await pair.first.writeAll([UInt8(number)].span)
                        var byte: [UInt8] = [0]
                        _ = try await pair.second.read(into: byte.mutableSpan)
                        #expect(byte[0] == UInt8(number))
                    }
                }
            }
            try await group.waitForAll()
        }
        await executor.shutdown(until: .now + .seconds(600))
    }
}

/// A noncopyable value that closures capture.
private final class Owner<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) {
        self.value = value
    }
}
