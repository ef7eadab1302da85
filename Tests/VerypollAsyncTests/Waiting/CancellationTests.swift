import Foundation
import Synchronization
import SystemPackage
import Testing
import Verypoll
import VerypollAsync

@Suite struct CancellationTests {
    @Test("canceling a task ends its read, and the socket remains usable")
    func endsRead() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let halves = pair.first.split()
            let reader = halves.reader
            let isWritten = Mutex(false)
            let task = Task(executorPreference: executor) {
                var byte: [UInt8] = [0]
                await #expect(throws: Errno.canceled) {
                    var byte: [UInt8] = [0]
                    _ = try await reader.read(into: byte.mutableSpan)
                }
                // The task remains canceled, but a read that need not wait succeeds.
                while !isWritten.withLock({ $0 }) { await Task.yield() }
                _ = try await reader.read(into: byte.mutableSpan)
                return byte[0]
            }
            for _ in 0..<3 { await Task.yield() }
            task.cancel()
            for _ in 0..<3 { await Task.yield() }
            try await pair.second.writeAll([9].span)
            isWritten.withLock { $0 = true }
            #expect(try await task.value == 9)
        }
    }

    @Test("in a scope, a canceled task's reads fail even if they need not wait")
    func endsScope() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let stream = pair.first
            let peer = pair.second
            let task = Task(executorPreference: executor) {
                try await stream.withCancellation { stream async throws(Errno) in
                    var buffer = [UInt8](repeating: 0, count: 16)
                    while true { _ = try await stream.read(into: buffer.mutableSpan) }
                }
            }
            for _ in 0..<3 { await Task.yield() }
            task.cancel()
            _ = try peer.socket.write([1, 2, 3].span)
            await #expect(throws: Errno.canceled) { try await task.value }
        }
    }

    @Test("after a scope, the socket is as usable as before")
    func leavesScope() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let ends = Ends(reader: pair.first, writer: pair.second)
            let task = Task(executorPreference: executor) {
                #expect(try await ends.readByte(scoped: true) == nil)
                // A task that is not canceled uses the socket.
                return try await Task.detached(executorPreference: executor) {
                    try await ends.readByte(scoped: true)
                }.value
            }
            for _ in 0..<3 { await Task.yield() }
            task.cancel()
            for _ in 0..<3 { await Task.yield() }
            try await ends.writer.writeAll([5].span)
            #expect(try await task.value == 5)
        }
    }

    /// How a task is canceled in the rounds below.
    enum Kind: CaseIterable {
        case scoped, unscoped, foreign
    }

    /// Set `VERYPOLL_ASYNC_CANCELLATIONS` to 100000 for the long form.
    static let rounds =
        ProcessInfo.processInfo.environment["VERYPOLL_ASYNC_CANCELLATIONS"].flatMap(Int.init)
        ?? 3_000

    @Test("cancellations from another thread lose no byte and no wake-up", arguments: Kind.allCases)
    func losesNothing(_ kind: Kind) async throws {
        let executor = try PollExecutor.start()
        let outcome = try await withTaskExecutorPreference(
            kind == .foreign ? nil : executor
        ) { () async throws in
            let pair = try AsyncUnixStream.pair(on: executor)
            let ends = Ends(reader: pair.first, writer: pair.second)
            return try await ends.exchange(rounds: Self.rounds, scoped: kind == .scoped)
        }
        #expect(outcome.bytes == Self.rounds)
        #expect(outcome.isInOrder)
        // A shutdown with this deadline returns only once all sources are gone.
        await executor.shutdown(until: .now + .seconds(600))
    }
}

/// A reader whose reads are canceled at random moments, and a writer of one byte for each round.
private final class Ends: Sendable {
    let reader: AsyncUnixStream
    let writer: AsyncUnixStream

    init(reader: consuming AsyncUnixStream, writer: consuming AsyncUnixStream) {
        self.reader = reader
        self.writer = writer
    }

    func exchange(rounds: Int, scoped: Bool) async throws -> (bytes: Int, isInOrder: Bool) {
        var received = 0
        var isInOrder = true
        for round in 0..<rounds {
            let task = Task { try await self.readByte(scoped: scoped) }
            // The cancellation and the byte race for the read.
            let canceler = Task.detached { task.cancel() }
            let number = UInt8(truncatingIfNeeded: round)
            let sender = Task.detached {
                while try self.writer.socket.write([number].span) == nil { await Task.yield() }
            }
            var byte = try await task.value
            await canceler.value
            try await sender.value
            // If the cancellation won, the byte is still there for the next read.
            if byte == nil { byte = try await readByte(scoped: false) }
            received += 1
            isInOrder = isInOrder && byte == number
        }
        return (received, isInOrder)
    }

    func readByte(scoped: Bool) async throws -> UInt8? {
        do throws(Errno) {
            return scoped ? try await readInScope() : try await byte(from: reader)
        } catch .canceled {
            return nil
        }
    }

    // A function of its own: Swift 6.3.1 crashes on a closure like this one inside of `do`.
    private func readInScope() async throws(Errno) -> UInt8 {
        try await reader.withCancellation { stream async throws(Errno) in
            try await byte(from: stream)
        }
    }
}

private func byte(from stream: borrowing AsyncUnixStream) async throws(Errno) -> UInt8 {
    var byte: [UInt8] = [0]
    let count = try await stream.read(into: byte.mutableSpan)
    precondition(count == 1)
    return byte[0]
}
