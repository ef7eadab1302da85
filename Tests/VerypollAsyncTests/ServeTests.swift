import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncTCPListener: serve", .timeLimit(.minutes(1)))
struct ServeTests {
    @Test("each connection is served at the same time, and closed when its work is done")
    func serves() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let server = try EchoServer(place, on: executor)
                var clients: [Shared<AsyncTCPStream>] = []
                for _ in 0..<20 { clients.append(Shared(try await server.connect())) }
                for (index, client) in clients.reversed().enumerated() {
                    try await client.value.writeAll("\(index)")
                    #expect(try await client.value.readOnce().text == "\(index)")
                }
                for client in clients {
                    try client.value.shutdown(.write)
                    #expect(try await client.value.readToEnd() == [])
                }
                await server.expectCanceled()
            }
        }
    }

    @Test("connections beyond the limit wait in the backlog", arguments: [1, 3])
    func isLimited(limit: Int) async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let server = try EchoServer(place, limit: limit, on: executor)
                let clients = try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<12 {
                        group.addTask {
                            let client = try await server.connect()
                            try await client.writeAll("\(index)")
                            #expect(try await client.readOnce().text == "\(index)")
                        }
                    }
                    try await group.waitForAll()
                    return 12
                }
                #expect(server.load.served == clients)
                #expect(server.load.most <= limit)
                await server.expectCanceled()
            }
        }
    }

    @Test("a waiting connection is served once another one ends, and not before")
    func servesNext() async throws {
        try await withExecutor { executor in
            let server = try EchoServer(.executor, limit: 1, on: executor)
            let first = try await server.connect()
            try await first.writeAll("1")
            #expect(try await first.readOnce().text == "1")
            let second = try await server.connect()
            try await second.writeAll("2")
            for _ in 0..<50 {
                try await first.writeAll("1")
                #expect(try await first.readOnce().text == "1")
            }
            #expect(server.load.served == 1)
            try first.shutdown(.write)
            #expect(try await second.readOnce().text == "2")
            await server.expectCanceled()
        }
    }

    @Test("canceling the task cancels the connections, and then throws `canceled`")
    func isCanceled() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let server = try EchoServer(place, limit: 3, on: executor)
                var clients: [Shared<AsyncTCPStream>] = []
                // The first ones are served, and the last one fills the limit or waits.
                for _ in 0..<4 { clients.append(Shared(try await server.connect())) }
                for client in clients.prefix(3) {
                    try await client.value.writeAll("x")
                    #expect(try await client.value.readOnce().text == "x")
                }
                await server.expectCanceled()
                #expect(server.load.active == 0)
                for client in clients.prefix(3) {
                    #expect(try await client.value.readToEnd() == [])
                }
            }
        }
    }

    @Test("serving ends at once if the task was canceled before")
    func isCanceledBefore() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                for _ in 0..<20 {
                    let server = try EchoServer(place, on: executor)
                    await server.expectCanceled()
                }
            }
        }
    }

    @Test("a shutdown of the executor ends serving once the last connection has ended")
    func isShutDown() async throws {
        let executor = try PollExecutor.start()
        let server = try EchoServer(.executor, on: executor)
        let client = try Client(port: server.address.port)
        try client.send("before")
        #expect(try client.receive().text == "before")
        async let end: Void = executor.shutdown(until: .now + .seconds(3600))
        // Another listener shows that the shutdown has begun.
        await #expect(throws: Errno.canceled) {
            _ = try await AsyncTCPListener(binding: .loopback(port: 0), on: executor).accept()
        }
        try client.send("during")
        #expect(try client.receive().text == "during")
        try client.finishSending()
        await end
        await #expect(throws: Errno.canceled) { try await server.task.value }
    }

    @Test("several executors share the connections")
    func isSpread() async throws {
        let executors = try PollExecutors(count: 3)
        try await withExecutor { executor in
            let places = Mutex<[Int]>([0, 0, 0])
            let listener = Shared(
                try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            )
            let address = try listener.value.socket.localAddress()
            let counts = Shared(places)
            let task = Task(executorPreference: executor) {
                try await listener.value.serve(on: executors) { stream in
                    let index = executors.executors.firstIndex { $0.isCurrent }
                    counts.value.withLock { $0[index ?? 0] += index == nil ? 100 : 1 }
                    _ = try? await stream.writeAll("served")
                    _ = try? await stream.readToEnd()
                }
            }
            var clients: [Shared<AsyncTCPStream>] = []
            for _ in 0..<9 {
                let client = Shared(try await AsyncTCPStream.connect(to: address, on: executor))
                #expect(try await client.value.read(exactly: 6).text == "served")
                clients.append(client)
            }
            #expect(counts.value.withLock { $0 } == [3, 3, 3])
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
            for client in clients { #expect(try await client.value.readToEnd() == []) }
        }
        await executors.shutdown(until: .now + .seconds(3600))
    }

    @Test("a lack of descriptors delays connections, but ends nothing")
    func survivesLackOfDescriptors() async {
        await #expect(processExitsWith: .success) {
            try await withExecutor { executor in
                let server = try EchoServer(.executor, on: executor)
                let early = try await server.connect()
                try await early.writeAll("early")
                #expect(try await early.readOnce().text == "early")
                let late = try await server.connect()
                let hoard = try takeAllDescriptors()
                try await late.writeAll("late")
                await letOthersWait()
                // Accepting has failed by now, and the open connection is still served.
                try await early.writeAll("still")
                #expect(try await early.readOnce().text == "still")
                for number in hoard { close(number) }
                #expect(try await late.readOnce().text == "late")
                await server.expectCanceled()
            }
        }
    }
}

/// How many connections a server has had.
private final class Load: Sendable {
    private let state = Mutex((active: 0, most: 0, served: 0))

    var active: Int { state.withLock { $0.active } }
    var most: Int { state.withLock { $0.most } }
    var served: Int { state.withLock { $0.served } }

    func begin() {
        state.withLock { state in
            state.active += 1
            state.served += 1
            state.most = max(state.most, state.active)
        }
    }

    func end() {
        state.withLock { $0.active -= 1 }
    }
}

/// A task that serves connections, and returns what it gets to each.
private struct EchoServer {
    let address: SocketAddress
    let load: Load
    let task: Task<Void, any Error>
    private let executor: PollExecutor

    init(_ place: Place, limit: Int = 100, on executor: PollExecutor) throws {
        let listener = Shared(try AsyncTCPListener(binding: .loopback(port: 0), on: executor))
        let load = Load()
        address = try listener.value.socket.localAddress()
        self.load = load
        self.executor = executor
        task = Task(executorPreference: place.preference(executor)) {
            try await listener.value.serve(limit: limit) { stream in
                load.begin()
                defer { load.end() }
                do throws(Errno) {
                    while case let bytes = try await stream.readOnce(), !bytes.isEmpty {
                        try await stream.writeAll(bytes)
                    }
                } catch {
                    #expect(error == .canceled)
                }
            }
        }
    }

    func connect() async throws(Errno) -> AsyncTCPStream {
        try await AsyncTCPStream.connect(to: address, on: executor)
    }

    /// Ends the server.
    func expectCanceled(sourceLocation: SourceLocation = #_sourceLocation) async {
        task.cancel()
        await #expect(throws: Errno.canceled, sourceLocation: sourceLocation) {
            try await task.value
        }
    }
}

/// Lowers the descriptor limit, and opens descriptors until none is left.
private func takeAllDescriptors() throws -> [Int32] {
    var limit = rlimit()
    try #require(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    limit.rlim_cur = 128
    try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    var hoard: [Int32] = []
    while true {
        let number = dup(2)
        if number < 0 { return hoard }
        hoard.append(number)
    }
}
