import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncPipe", .timeLimit(.minutes(1)))
struct AsyncPipeTests {
    @Test("bytes arrive whole and in order, then the end", arguments: Place.allCases)
    func transfers(place: Place) async throws {
        try await place.run { executor in
            let pipe = try AsyncPipe(on: executor)
            let bytes = [UInt8].noise(1 << 20)
            let task = Task(
                executorPreference: place.preference(executor),
                operation: writing(bytes, to: pipe.sender)
            )
            #expect(try await pipe.receiver.readToEnd(step: 10_000) == bytes)
            try await task.value
        }
    }

    @Test("several spans are written whole, though the pipe has room for parts only")
    func writesParts() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pipe = try AsyncPipe(on: executor)
                let sender = Shared(pipe.sender)
                for sizes in [[0, 90_000, 0, 3], [40_000, 40_000, 40_000], [1, 65_536]] {
                    let parts = sizes.enumerated().map { [UInt8].noise($1, at: $0 * 1000) }
                    let sent = Task(executorPreference: place.preference(executor)) {
                        try await sender.value.writeAll(parts: parts)
                    }
                    let total = sizes.reduce(0, +)
                    let received = try await pipe.receiver.read(exactly: total, step: 5000)
                    try await sent.value
                    #expect(received == Array(parts.joined()))
                }
            }
        }
    }

    @Test("reads and writes end at their deadlines, and the ends stay usable")
    func ends() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pipe = try AsyncPipe(on: executor)
                await pipe.receiver.expectDeadline { receiver, deadline in
                    _ = try await receiver.readOnce(until: deadline)
                }
                await pipe.receiver.expectDeadline { receiver, deadline in
                    try await receiver.readable(until: deadline)
                }
                let filled = try await pipe.sender.fill()
                await pipe.sender.expectDeadline { sender, deadline in
                    try await sender.writeAll("x", until: deadline)
                }
                await pipe.sender.expectDeadline { sender, deadline in
                    try await sender.writable(until: deadline)
                }
                #expect(try await pipe.receiver.read(exactly: filled).count == filled)
                try await pipe.sender.writable()
                try await pipe.sender.writeAll("y")
                try await pipe.receiver.readable()
                #expect(try await pipe.receiver.readOnce().text == "y")
            }
        }
    }

    @Test("a waiting read ends when the writing end is closed", arguments: Place.allCases)
    func seesEnd(place: Place) async throws {
        try await place.run { executor in
            let pipe = try AsyncPipe(on: executor)
            let task = Task(
                executorPreference: place.preference(executor),
                operation: readingToEnd(pipe.receiver)
            )
            await letOthersWait()
            drop(pipe.sender)
            #expect(try await task.value == [])
        }
    }

    @Test("a waiting write fails when the reading end is closed", arguments: Place.allCases)
    func isBroken(place: Place) async throws {
        try await place.run { executor in
            let pipe = try AsyncPipe(on: executor)
            let task = Task(
                executorPreference: place.preference(executor),
                operation: writing([UInt8](repeating: 1, count: 1 << 20), to: pipe.sender)
            )
            await letOthersWait()
            drop(pipe.receiver)
            await #expect(throws: Errno.brokenPipe) { try await task.value }
        }
    }

    @Test("reads and writes that wait can be canceled", arguments: Place.allCases)
    func isCanceled(place: Place) async throws {
        try await place.run { executor in
            let pipe = try AsyncPipe(on: executor)
            let receiver = Shared(pipe.receiver)
            let sender = Shared(pipe.sender)
            let read = Task(executorPreference: place.preference(executor)) {
                try await receiver.value.readOnce()
            }
            await letOthersWait()
            read.cancel()
            await #expect(throws: Errno.canceled) { _ = try await read.value }
            let write = Task(executorPreference: place.preference(executor)) {
                try await sender.value.writeAll([UInt8](repeating: 1, count: 1 << 20))
            }
            await letOthersWait()
            write.cancel()
            await #expect(throws: Errno.canceled) { try await write.value }
        }
    }

    @Test("lent bytes are those of the pipe", arguments: Place.allCases)
    func lends(place: Place) async throws {
        try await place.run { executor in
            let pipe = try AsyncPipe(on: executor)
            try await pipe.sender.writeAll([1, 2, 3])
            let count = try await pipe.receiver.withBytes { span throws(Errno) in span.count }
            #expect(count == 3)
            drop(pipe.sender)
            #expect(try await pipe.receiver.withBytes { span throws(Errno) in span.count } == 0)
        }
    }

    private func drop(_: consuming some ~Copyable) {}
}
