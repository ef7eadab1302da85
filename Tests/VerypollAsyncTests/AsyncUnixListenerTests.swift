import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncUnixListener", .timeLimit(.minutes(1)))
struct AsyncUnixListenerTests {
    @Test("connections are accepted at a path, whose file remains", arguments: Place.allCases)
    func accepts(place: Place) async throws {
        try await place.run { executor in
            let directory = try TemporaryDirectory()
            let path = directory.appending("socket")
            do {
                let listener = try AsyncUnixListener(
                    binding: .path(FilePath(path)),
                    on: executor
                )
                let client = try Client(path: path)
                try client.send("hello")
                #expect(try await listener.accept().readOnce().text == "hello")
            }
            #expect(FileManager.default.fileExists(atPath: path))
            #expect(throws: Errno.addressInUse) {
                _ = try AsyncUnixListener(binding: .path(FilePath(path)), on: executor)
            }
        }
    }

    @Test("accept waits until its deadline or until its task is canceled")
    func waits() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let address = UnixAddress.unique()
                let listener = Shared(try AsyncUnixListener(binding: address, on: executor))
                await listener.value.expectDeadline { listener, deadline in
                    _ = try await listener.accept(until: deadline)
                }
                let canceled = Task(executorPreference: place.preference(executor)) {
                    _ = try await listener.value.accept()
                }
                await letOthersWait()
                canceled.cancel()
                await #expect(throws: Errno.canceled) { try await canceled.value }
                let task = Task(executorPreference: place.preference(executor)) {
                    try await listener.value.accept().readToEnd().text
                }
                await letOthersWait()
                do {
                    let client = try await AsyncUnixStream.connect(to: address, on: executor)
                    try await client.writeAll("hello")
                }
                #expect(try await task.value == "hello")
            }
        }
    }

    @Test("serve runs its work for each connection, at most `limit` at a time")
    func serves() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let address = UnixAddress.unique()
                let listener = Shared(try AsyncUnixListener(binding: address, on: executor))
                let server = Task(executorPreference: place.preference(executor)) {
                    try await listener.value.serve(limit: 2) { stream in
                        guard let bytes = try? await stream.readToEnd() else { return }
                        try? await stream.writeAll(bytes)
                    }
                }
                let work = { @Sendable (index: Int) in
                    let client = try await AsyncUnixStream.connect(to: address, on: executor)
                    try await client.writeAll("\(index)")
                    try client.shutdown(.write)
                    #expect(try await client.readToEnd().text == "\(index)")
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<10 { group.addTask { try await work(index) } }
                    try await group.waitForAll()
                }
                server.cancel()
                await #expect(throws: Errno.canceled) { try await server.value }
            }
        }
    }

    @Test("several executors share the connections")
    func isSpread() async throws {
        let executors = try PollExecutors(count: 2)
        try await withExecutor { executor in
            let address = UnixAddress.unique()
            let listener = Shared(try AsyncUnixListener(binding: address, on: executor))
            let server = Task(executorPreference: executor) {
                try await listener.value.serve(on: executors) { stream in
                    let index = executors.executors.firstIndex { $0.isCurrent }
                    try? await stream.writeAll("\(index ?? -1)")
                    _ = try? await stream.readToEnd()
                }
            }
            var clients: [Shared<AsyncUnixStream>] = []
            var places: [String] = []
            for _ in 0..<6 {
                let client = try await AsyncUnixStream.connect(to: address, on: executor)
                places.append(try await client.read(exactly: 1).text)
                clients.append(Shared(client))
            }
            #expect(places.sorted() == ["0", "0", "0", "1", "1", "1"])
            server.cancel()
            await #expect(throws: Errno.canceled) { try await server.value }
        }
        await executors.shutdown(until: .now + .seconds(3600))
    }
}
