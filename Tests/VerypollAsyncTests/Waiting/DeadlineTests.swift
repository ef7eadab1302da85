import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite struct DeadlineTests {
    @Test(
        "an operation that waits ends at its deadline, never earlier, and the socket stays usable"
    )
    func isNeverEarly() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            var byte: [UInt8] = [0]
            // Later deadlines leave the alarm where it is, and earlier ones move it.
            for milliseconds in [20, 5, 30, 1, 0, 10, -5] {
                let deadline = Deadline.now + .milliseconds(milliseconds)
                do throws(Errno) {
                    _ = try await pair.first.read(into: byte.mutableSpan, until: deadline)
                    Issue.record("read something")
                } catch {
                    #expect(error == .deadlineExceeded)
                    #expect(Deadline.now >= deadline)
                }
            }
            try await pair.second.writeAll([3].span)
            #expect(try await pair.first.read(into: byte.mutableSpan, until: .now) == 1)
            #expect(byte == [3])
        }
    }

    @Test("a deadline that has passed does not keep an operation from succeeding at once")
    func succeedsLate() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            try await pair.second.writeAll([1].span, until: .now - .seconds(1))
            var byte: [UInt8] = [0]
            let deadline = Deadline.now - .seconds(1)
            #expect(try await pair.first.read(into: byte.mutableSpan, until: deadline) == 1)
        }
    }

    @Test("an operation without a deadline is not ended by the deadline of the one before")
    func forgetsDeadline() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            try await pair.second.writeAll([1].span)
            var byte: [UInt8] = [0]
            let deadline = Deadline.now + .milliseconds(5)
            _ = try await pair.first.read(into: byte.mutableSpan, until: deadline)
            await #expect(throws: Errno.deadlineExceeded) {
                var byte: [UInt8] = [0]
                _ = try await pair.first.read(into: byte.mutableSpan, until: deadline)
            }
            // A duplicate, because the task cannot borrow the end that this function owns.
            let number = try pair.second.socket.fileDescriptor.duplicate()
            let writer = Task(executorPreference: executor) {
                let socket = try UnixStream(adopting: OwnedFD(adopting: number))
                try await executor.sleep(until: deadline + .milliseconds(20))
                _ = try socket.write([2].span)
            }
            #expect(try await pair.first.read(into: byte.mutableSpan) == 1)
            #expect(byte == [2])
            try await writer.value
        }
    }

    @Test("a writer that finds no room waits until its deadline")
    func coversWrites() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let bytes = [UInt8](repeating: 0, count: 1 << 24)
            let deadline = Deadline.now + .milliseconds(10)
            do throws(Errno) {
                try await pair.first.writeAll(bytes.span, until: deadline)
                Issue.record("wrote everything")
            } catch {
                #expect(error == .deadlineExceeded)
                #expect(Deadline.now >= deadline)
            }
        }
    }

    @Test("the deadline of a scope covers all waits in it, child tasks included")
    func coversScope() throws {
        try PollExecutor.run { executor in
            let deadline = Deadline.now + .milliseconds(10)
            let pair = try AsyncUnixStream.pair(on: executor)
            let failures = await withDeadline(deadline) {
                await withTaskGroup(of: Errno?.self) { group in
                    group.addTask {
                        await failure { () async throws(Errno) in
                            try await executor.sleep(until: .distantFuture)
                        }
                    }
                    group.addTask {
                        await failure { () async throws(Errno) in
                            // The inner scope cannot extend the outer one.
                            try await withDeadline(.distantFuture) { () async throws(Errno) in
                                try await executor.sleep(until: .distantFuture)
                            }
                        }
                    }
                    group.addTask {
                        await failure { () async throws(Errno) in
                            let other = try AsyncUnixStream.pair(on: executor)
                            try await other.first.readable(until: .distantFuture)
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
            #expect(failures == [.deadlineExceeded, .deadlineExceeded, .deadlineExceeded])
            #expect(Deadline.now >= deadline)
            // Outside of the scope, there is no deadline any more.
            try await pair.second.writeAll([1].span)
            try await pair.first.readable()
            try await executor.sleep(until: .now + .milliseconds(1))
        }
    }
}

extension Deadline {
    fileprivate static var distantFuture: Self { .now + .seconds(3600) }
}

private func failure(_ body: () async throws(Errno) -> Void) async -> Errno? {
    do throws(Errno) {
        try await body()
        return nil
    } catch {
        return error
    }
}
