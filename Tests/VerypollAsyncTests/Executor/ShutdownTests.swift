import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite struct ShutdownTests {
    @Test("a shutdown waits for the tasks, which may end by themselves until the deadline")
    func waits() async throws {
        let executor = try PollExecutor.start()
        let isReading = AsyncFlag()
        let pair = try UnixStream.pair()
        let number = pair.first.release().release()
        let task = Task(executorPreference: executor) {
            let socket = try UnixStream(adopting: OwnedFD(adopting: number))
            let reader = try AsyncUnixStream(socket, on: executor)
            isReading.set()
            var byte: [UInt8] = [0]
            return try await reader.read(into: byte.mutableSpan)
        }
        await isReading.wait()
        let end = Task { await executor.shutdown(until: .now + .seconds(60)) }
        _ = try pair.second.write([1].span)
        #expect(try await task.value == 1)
        await end.value
    }

    @Test("at the deadline, waits end with canceled")
    func cancels() async throws {
        let executor = try PollExecutor.start()
        let task = Task(executorPreference: executor) {
            let pair = try AsyncUnixStream.pair(on: executor)
            var byte: [UInt8] = [0]
            await executor.requestsShutdown()
            return try await pair.first.read(into: byte.mutableSpan)
        }
        await #expect(throws: Errno.canceled) { try await task.value }
    }

    @Test("a shutdown with a later deadline ends serving at once, and its connections later")
    func drains() throws {
        try PollExecutor.run { executor in
            let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            let address = try listener.socket.localAddress()
            let served = Mutex(0)
            let server = Task(executorPreference: executor) {
                try await listener.serve { stream in
                    var byte: [UInt8] = [0]
                    _ = try? await stream.read(into: byte.mutableSpan)
                    served.withLock { $0 += Int(byte[0]) }
                }
            }
            let client = try await AsyncTCPStream.connect(to: address, on: executor)
            // The connection is in the backlog, and is accepted before the shutdown is read.
            for _ in 0..<10 { await Task.yield() }
            let end = Task(executorPreference: executor) {
                await executor.shutdown(until: .now + .seconds(60))
            }
            for _ in 0..<10 { await Task.yield() }
            #expect(served.withLock { $0 } == 0)
            try await client.writeAll([7].span)
            await #expect(throws: Errno.canceled) { try await server.value }
            #expect(served.withLock { $0 } == 7)
            _ = end
        }
    }

    @Test("tasks that still run after the end go on elsewhere, and none is stranded")
    func strandsNone() async throws {
        let executor = try PollExecutor.start()
        let flag = AsyncFlag()
        let tasks = (0..<100).map { number in
            Task(executorPreference: executor) {
                await flag.wait()  // Nothing that the executor knows of.
                let pair = try AsyncUnixStream.pair(on: executor)
                _ = try pair.first.socket.write([UInt8(number)].span)
                var byte: [UInt8] = [0]
                _ = try await pair.second.read(into: byte.mutableSpan)
                let isCanceled = await #expect(throws: Errno.canceled) {
                    var byte: [UInt8] = [0]
                    _ = try await pair.second.read(into: byte.mutableSpan)
                }
                return isCanceled == nil ? -1 : Int(byte[0])
            }
        }
        await executor.shutdown()
        flag.set()
        for (number, task) in tasks.enumerated() { #expect(try await task.value == number) }
    }

    @Test("at the deadline, a task that never has to wait is canceled too")
    func cancelsBusyTask() async throws {
        let executor = try PollExecutor.start()
        let task = Task(executorPreference: executor) {
            let pair = try AsyncUnixStream.pair(on: executor)
            var byte: [UInt8] = [0]
            await executor.requestsShutdown()
            while true {
                try await pair.first.writeAll([1].span)
                _ = try await pair.second.read(into: byte.mutableSpan)
            }
        }
        await #expect(throws: Errno.canceled) { try await task.value }
        await executor.shutdown()
    }

    @Test("every caller of shutdown is resumed, also after the end")
    func resumesCallers() async throws {
        let executor = try PollExecutor.start()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { await executor.shutdown() } }
        }
        await executor.shutdown()
    }

    @Test("run ends although a detached task still waits, and that task is canceled")
    func endsRun() async throws {
        let task = try PollExecutor.run { executor in
            Task(executorPreference: executor) {
                let pair = try AsyncUnixStream.pair(on: executor)
                var byte: [UInt8] = [0]
                return try await pair.first.read(into: byte.mutableSpan)
            }
        }
        await #expect(throws: Errno.canceled) { try await task.value }
    }
}

extension PollExecutor {
    /// Asks for a shutdown without waiting for it.
    fileprivate func requestsShutdown() async {
        Task(executorPreference: self) { await self.shutdown() }
    }
}
