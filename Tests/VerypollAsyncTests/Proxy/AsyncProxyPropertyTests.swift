import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

/// Runs random schedules on both ends of sessions through a proxy; the model of a session is what
/// its plan says.
///
/// Set `VERYPOLL_ASYNC_SESSIONS` to the number of sessions, and `VERYPOLL_ASYNC_SEED` to a seed;
/// otherwise the seed is random, and a failure reports it.
@Suite("Async proxy: random schedules", .timeLimit(.minutes(10)))
struct AsyncProxyPropertyTests {
    private static func variable(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test(
        """
        whatever the two ends do, every byte and then the end of the stream arrives in order, and \
        nothing of the sessions is left
        """
    )
    func keepsModel() async throws {
        let seed = Self.variable("VERYPOLL_ASYNC_SEED") ?? .random(in: 0 ... .max)
        let count = Self.variable("VERYPOLL_ASYNC_SESSIONS").map { Int($0) } ?? 200
        let executors = try PollExecutors(count: 2)
        let problems = try await withExecutor { executor in
            try await Swarm(seed: seed, executors: executors, on: executor).run(count)
        }
        #expect(problems == [], "VERYPOLL_ASYNC_SEED=\(seed)")
        // Returns once all connections of the proxy are closed.
        await executors.shutdown(until: .now + .seconds(3600))
    }
}

/// The clients and servers of the sessions, and the proxy between them.
private struct Swarm: Sendable {
    private let seed: UInt64
    private let executor: PollExecutor
    private let proxy: AsyncProxy
    private let address: SocketAddress
    private let backend: Shared<AsyncTCPListener>
    private let problems = Shared(Mutex<[String]>([]))
    private let served = Shared(Mutex<Set<Int>>([]))

    init(seed: UInt64, executors: PollExecutors, on executor: PollExecutor) throws {
        self.seed = seed
        self.executor = executor
        let listener = Shared(try AsyncTCPListener(binding: .loopback(port: 0), on: executor))
        backend = Shared(try AsyncTCPListener(binding: .loopback(port: 0), on: executor))
        address = try listener.value.socket.localAddress()
        proxy = AsyncProxy(
            listener: listener,
            upstream: try backend.value.socket.localAddress(),
            executors: executors,
            seed: seed
        )
    }

    /// Runs sessions, 32 at a time, and returns descriptions of what was wrong.
    func run(_ count: Int) async throws -> [String] {
        async let proxied: Void = proxy.run(count)
        async let answered: Void = runServers(count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= 32 { try await group.next() }
                let place = SessionPlan(seed: seed, number: number).client.place
                group.addTask(executorPreference: place.preference(executor)) {
                    try await runClient(number)
                }
            }
            try await group.waitForAll()
        }
        try await proxied
        try await answered
        for number in 0..<count where !SessionPlan(seed: seed, number: number).isBroken {
            let isServed = served.value.withLock { $0.contains(number) }
            if !isServed { report("never reached the server", number) }
        }
        return problems.value.withLock { $0 }
    }

    private func report(_ problem: String?, _ number: Int) {
        guard let problem else { return }
        problems.value.withLock { $0.append("session \(number): \(problem)") }
    }

    private func runClient(_ number: Int) async throws {
        let plan = SessionPlan(seed: seed, number: number)
        let stream = Shared(try await AsyncTCPStream.connect(to: address, on: executor))
        try await stream.value.writeAll(header(number))
        let end = SessionEnd(
            stream: stream,
            plan: plan.client,
            other: plan.server,
            seed: seed &+ UInt64(number)
        )
        report(await end.run(mayBreak: plan.isBroken).map { "client: " + $0 }, number)
    }

    private func runServers(_ count: Int) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for turn in 0..<count {
                let stream = Shared(try await backend.value.accept(until: .now + patience))
                let place = SessionPlan(seed: seed, number: turn).server.place
                group.addTask(executorPreference: place.preference(executor)) {
                    await runServer(stream)
                }
            }
        }
    }

    private func runServer(_ stream: Shared<AsyncTCPStream>) async {
        // A client may have reset its connection before the proxy has read the header.
        let header = try? await stream.value.read(exactly: 8)
        guard let header, header.count == 8 else { return }
        let number = header.reduce(0) { $0 << 8 | Int($1) }
        let plan = SessionPlan(seed: seed, number: number)
        served.value.withLock { _ = $0.insert(number) }
        let end = SessionEnd(
            stream: stream,
            plan: plan.server,
            other: plan.client,
            seed: seed &- UInt64(number)
        )
        report(await end.run(mayBreak: plan.isBroken).map { "server: " + $0 }, number)
    }

    private func header(_ number: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }
}
