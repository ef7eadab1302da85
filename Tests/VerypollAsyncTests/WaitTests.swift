import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("Waiting: races", .timeLimit(.minutes(1)))
struct WaitTests {
    @Test("a byte, a deadline and a cancellation that race leave the stream usable")
    func races() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                let server = Shared(pair.server)
                var random = SystemRandomNumberGenerator()
                for round in 0..<UInt8(250) {
                    let wait = Duration.microseconds(Int.random(in: 0...300, using: &random))
                    let task = Task(executorPreference: place.preference(executor)) {
                        try await server.value.readOnce(until: .now + wait)
                    }
                    for _ in 0..<Int.random(in: 0...3, using: &random) { await Task.yield() }
                    if Bool.random(using: &random) { task.cancel() }
                    try await pair.client.writeAll([round])
                    let first = await task.result
                    // The byte is lost in no case: the read returns it, or the next one does.
                    switch first {
                    case .success(let bytes): #expect(bytes == [round])
                    case .failure(let error):
                        let error = error as? Errno
                        #expect(error == .canceled || error == .deadlineExceeded)
                        #expect(try await server.value.readOnce() == [round])
                    }
                }
            }
        }
    }

    @Test("a cancellation that comes late cancels no later operation")
    func isLate() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                let server = Shared(pair.server)
                for round in 0..<UInt8(200) {
                    let task = Task(executorPreference: place.preference(executor)) {
                        try await server.value.readOnce()
                    }
                    await letOthersWait()
                    // Both on their way at the same time: the byte is usually first.
                    try await pair.client.writeAll([round])
                    task.cancel()
                    let result = await task.result
                    let next = Task(executorPreference: place.preference(executor)) {
                        try await server.value.readOnce()
                    }
                    await letOthersWait()
                    if case .success = result { try await pair.client.writeAll([round]) }
                    #expect(try await next.value == [round])
                }
            }
        }
    }

    @Test("a cancellation for a closed source reaches no source that took its place")
    func meetsReusedPlace() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                for _ in 0..<100 {
                    let pipe = try AsyncPipe(on: executor)
                    let task = Task(
                        executorPreference: place.preference(executor),
                        operation: readingToEnd(pipe.receiver)
                    )
                    await letOthersWait()
                    try await pipe.sender.writeAll("x")
                    drop(pipe.sender)
                    task.cancel()
                    _ = await task.result
                    let second = try AsyncPipe(on: executor)
                    let next = Task(
                        executorPreference: place.preference(executor),
                        operation: readingToEnd(second.receiver)
                    )
                    await letOthersWait()
                    try await second.sender.writeAll("y")
                    drop(second.sender)
                    #expect(try await next.value.text == "y")
                }
            }
        }
    }

    @Test("the alarm of a closed source rings for no source that took its place")
    func forgetsAlarms() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                for _ in 0..<50 {
                    let first = try AsyncPipe(on: executor)
                    try await first.sender.writeAll("x")
                    _ = try await first.receiver.readOnce()
                    // The alarms are set by waits that an event ends.
                    let receiver = Shared(first.receiver)
                    let soon = Deadline.now + .milliseconds(1)
                    let read = Task(executorPreference: place.preference(executor)) {
                        try? await receiver.value.readOnce(until: soon)
                    }
                    await letOthersWait()
                    try await first.sender.writeAll("y")
                    _ = await read.value
                }
                let pair = try await TCPPair(on: executor)
                let server = Shared(pair.server)
                let task = Task(executorPreference: place.preference(executor)) {
                    try await server.value.readOnce(until: .now + .seconds(3600))
                }
                try await executor.sleep(until: .now + .milliseconds(3))
                try await pair.client.writeAll("z")
                #expect(try await task.value.text == "z")
            }
        }
    }

    @Test("a later deadline replaces an earlier one, and an earlier one a later one")
    func movesDeadlines() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                let server = Shared(pair.server)
                for milliseconds in [8, 1, 5, 2, 20, 1, 0] {
                    let deadline = Deadline.now + .milliseconds(milliseconds)
                    await #expect(throws: Errno.deadlineExceeded) {
                        _ = try await server.value.readOnce(until: deadline)
                    }
                    #expect(Deadline.now >= deadline)
                    // This wait sets a far alarm, and ends by an event.
                    let task = Task(executorPreference: place.preference(executor)) {
                        try await server.value.readOnce(until: .now + .seconds(3600))
                    }
                    await letOthersWait()
                    try await pair.client.writeAll("x")
                    #expect(try await task.value.text == "x")
                }
            }
        }
    }

    @Test("many waits end at their deadlines, none early", arguments: Place.allCases)
    func endsMany(place: Place) async throws {
        try await place.run { executor in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<300 {
                    group.addTask(executorPreference: place.preference(executor)) {
                        let pipe = try AsyncPipe(on: executor)
                        let deadline = Deadline.now + .microseconds((index * 7919) % 9000)
                        await #expect(throws: Errno.deadlineExceeded) {
                            _ = try await pipe.receiver.readOnce(until: deadline)
                        }
                        #expect(Deadline.now >= deadline)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("no wake-up is lost between tasks of different executors", arguments: Place.allCases)
    func wakes(place: Place) async throws {
        try await place.run { executor in
            try await withExecutor { other in
                let pair = try await TCPPair(on: executor, serverOn: other)
                let server = Shared(pair.server)
                // This task runs on neither the executor of its socket nor on that of the peer.
                let echo = Task {
                    while case let bytes = try await server.value.readOnce(), !bytes.isEmpty {
                        try await server.value.writeAll(bytes)
                    }
                }
                for round in 0..<2000 {
                    let byte = UInt8(truncatingIfNeeded: round)
                    try await pair.client.writeAll([byte])
                    #expect(try await pair.client.readOnce() == [byte])
                }
                try pair.client.shutdown(.write)
                try await echo.value
            }
        }
    }

    @Test("sources may be closed on several threads at a time once their executor has ended")
    func closesAfterEnd() async throws {
        for _ in 0..<20 {
            let executor = try PollExecutor.start(sourceLimit: 256)
            let hasEnded = AsyncFlag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    let pipe = Shared(try AsyncPipe(on: executor))
                    let hasRead = AsyncFlag()
                    group.addTask {
                        // The wait sets an alarm, which stays when bytes end the wait.
                        _ = try await pipe.value.receiver.readOnce(until: .now + .seconds(3600))
                        hasRead.set()
                        await hasEnded.wait()
                    }
                    group.addTask {
                        await letOthersWait()
                        try await pipe.value.sender.writeAll("x")
                        await hasRead.wait()
                    }
                }
                await letOthersWait()
                for _ in 0..<100 { try await group.next() }
                await executor.shutdown()
                hasEnded.set()
                try await group.waitForAll()
            }
        }
    }

    private func drop(_: consuming some ~Copyable) {}
}
