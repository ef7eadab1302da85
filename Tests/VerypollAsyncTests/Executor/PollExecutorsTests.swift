import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite struct PollExecutorsTests {
    @Test("connections are spread evenly over the executors, and stay where they are")
    func spreads() async throws {
        let executors = try PollExecutors(count: 3)
        let counts = Counts()
        // Not one of the three, which would count the other ends as theirs.
        let clients = try PollExecutor.start()
        let first = executors.executors[0]
        try await withTaskExecutorPreference(first) {
            let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: first)
            let address = try listener.socket.localAddress()
            let server = Task(executorPreference: first) {
                try await listener.serve(on: executors) { stream in
                    let index = executors.executors.firstIndex { $0.isCurrent }
                    var buffer = [UInt8](repeating: 0, count: 16)
                    do throws(Errno) {
                        while try await stream.read(into: buffer.mutableSpan) > 0 {
                            let now = executors.executors.firstIndex { $0.isCurrent }
                            counts.add(now == index ? index : nil)
                            try await stream.writeAll([1].span)
                        }
                    } catch .canceled {
                        // The test ends the server before it has seen the end of the connection.
                    } catch {
                        counts.add(nil)
                    }
                }
            }
            try await connect(30, to: address, on: clients)
            server.cancel()
            await #expect(throws: Errno.canceled) { try await server.value }
        }
        #expect(counts.entries == [0: 30, 1: 30, 2: 30])
        await executors.shutdown(until: .now + .seconds(600))
        await clients.shutdown(until: .now + .seconds(600))
    }

    /// Opens connections and exchanges three bytes on each while all are open.
    private func connect(
        _ count: Int,
        to address: SocketAddress,
        on executor: PollExecutor
    ) async throws {
        let places = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask(executorPreference: executor) {
                    let stream = try await AsyncTCPStream.connect(to: address, on: executor)
                    var byte: [UInt8] = [0]
                    for _ in 0..<3 {
                        try await stream.writeAll([1].span)
                        _ = try await stream.read(into: byte.mutableSpan)
                    }
                    places.add(0)
                    // Closed only when all have been served.
                    while places.entries[0] != count { await Task.yield() }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// How often something happened on each executor.
private final class Counts: Sendable {
    private let storage = Mutex<[Int?: Int]>([:])

    var entries: [Int?: Int] { storage.withLock { $0 } }

    func add(_ index: Int?) {
        storage.withLock { $0[index, default: 0] += 1 }
    }
}
