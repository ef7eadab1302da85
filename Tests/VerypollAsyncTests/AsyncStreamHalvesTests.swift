import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncStreamHalves", .timeLimit(.minutes(1)))
struct AsyncStreamHalvesTests {
    @Test("the peer reads the end of the stream once the writing half is gone")
    func endsStream() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                let halves = pair.client.split()
                let reader = halves.reader
                let writer = Task(
                    executorPreference: place.preference(executor),
                    operation: writing(Array("last words".utf8), to: halves.writer)
                )
                #expect(try await pair.server.readToEnd().text == "last words")
                try await writer.value
                try await pair.server.writeAll("answer")
                #expect(try await reader.readOnce().text == "answer")
            }
        }
    }

    @Test("the connection is closed once both halves are gone, in either order")
    func closes() async throws {
        try await withExecutor { executor in
            for dropsReaderFirst in [true, false] {
                let pair = try await TCPPair(on: executor)
                let halves = pair.client.split()
                if dropsReaderFirst {
                    drop(halves.reader)
                    try await halves.writer.writeAll("still here")
                    #expect(try await pair.server.readOnce().text == "still here")
                    drop(halves.writer)
                } else {
                    drop(halves.writer)
                    #expect(try await pair.server.readToEnd() == [])
                    try await pair.server.writeAll("still here")
                    #expect(try await halves.reader.readOnce().text == "still here")
                    drop(halves.reader)
                }
                #expect(try await pair.server.readToEnd() == [])
                // A closed socket answers with a reset, a socket that is merely shut down does not.
                try await expectReset(pair.server)
            }
        }
    }

    @Test("each half may be used by a task of its own, on any thread")
    func isForTwoTasks() async throws {
        try await withExecutor { executor in
            for (first, second) in [(nil, executor), (executor, nil), (nil, nil)] {
                let pair = try await TCPPair(on: executor)
                let halves = pair.client.split()
                let bytes = [UInt8].noise(1 << 20)
                let writer = Task(
                    executorPreference: first,
                    operation: writing(bytes, to: halves.writer)
                )
                let reader = Task(
                    executorPreference: second,
                    operation: readingToEnd(halves.reader)
                )
                #expect(try await pair.server.read(exactly: bytes.count) == bytes)
                try await pair.server.writeAll(bytes)
                try pair.server.shutdown(.write)
                try await writer.value
                #expect(try await reader.value == bytes)
            }
        }
    }

    @Test("canceling the task of one half does not disturb the other half")
    func areCanceledApart() async throws {
        try await withExecutor { executor in
            for place in Place.allCases {
                let pair = try await TCPPair(on: executor)
                let halves = pair.client.split()
                let writer = halves.writer
                let reader = Task(
                    executorPreference: place.preference(executor),
                    operation: readingToEnd(halves.reader)
                )
                await letOthersWait()
                reader.cancel()
                await #expect(throws: Errno.canceled) { _ = try await reader.value }
                try await writer.writeAll("unharmed")
                #expect(try await pair.server.readOnce().text == "unharmed")
            }
        }
    }

    @Test("a scope of one half covers that half alone")
    func haveScopesOfTheirOwn() async throws {
        try await withExecutor { executor in
            let pair = try await TCPPair(on: executor)
            let halves = pair.client.split()
            let server = Shared(pair.server)
            let reader = Shared(halves.reader)
            let writer = Shared(halves.writer)
            let reading = Task(executorPreference: executor) {
                try await reader.value.withCancellation { half throws(Errno) in
                    _ = try await half.readOnce()
                }
            }
            let writing = Task(executorPreference: executor) {
                try await writer.value.withCancellation { half throws(Errno) in
                    while true { try await half.writeAll([UInt8](repeating: 1, count: 65_536)) }
                }
            }
            await letOthersWait()
            reading.cancel()
            await #expect(throws: Errno.canceled) { try await reading.value }
            _ = try await server.value.read(exactly: 4 << 20)
            writing.cancel()
            await #expect(throws: Errno.canceled) { try await writing.value }
            try await server.value.writeAll("on")
            #expect(try await reader.value.readOnce().text == "on")
        }
    }

    @Test("halves of a Unix-domain connection behave the same")
    func areOfUnixStreamsToo() async throws {
        try await withExecutor { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let halves = pair.first.split()
            let second = pair.second
            try await halves.writer.writeAll("to")
            #expect(try await second.readOnce().text == "to")
            drop(halves.writer)
            #expect(try await second.readToEnd() == [])
            try await second.writeAll("fro")
            #expect(try await halves.reader.readOnce().text == "fro")
            drop(halves.reader)
            await #expect(throws: Errno.brokenPipe) {
                while true { try await second.writeAll("x") }
            }
        }
    }

    @Test("halves outlive the connection's reset without harm")
    func surviveReset() async throws {
        try await withExecutor { executor in
            let pair = try await ClientPair(on: executor)
            let halves = pair.server.split()
            let reader = halves.reader
            try pair.client.reset()
            await #expect(throws: Errno.connectionReset) { _ = try await reader.readOnce() }
            drop(halves.writer)
            drop(reader)
        }
    }

    private func drop(_: consuming some ~Copyable) {}

    /// Writes until the peer's reset arrives.
    private func expectReset(_ stream: borrowing AsyncTCPStream) async throws {
        do throws(Errno) {
            while true {
                try await stream.writeAll([1])
                await Task.yield()
            }
        } catch {
            #expect(error == .brokenPipe || error == .connectionReset)
        }
    }
}
