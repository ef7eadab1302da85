import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncSource.withCancellation", .timeLimit(.minutes(1)))
struct CancellationScopeTests {
    @Test("an operation that waits is canceled", arguments: Place.allCases)
    func cancelsWait(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            let server = Shared(pair.server)
            for _ in 0..<20 {
                let task = Task(executorPreference: place.preference(executor)) {
                    try await server.value.withCancellation { stream throws(Errno) in
                        _ = try await stream.readOnce()
                    }
                }
                await letOthersWait()
                task.cancel()
                await #expect(throws: Errno.canceled) { try await task.value }
            }
            try await pair.client.writeAll("x")
            #expect(try await server.value.readOnce().text == "x")
        }
    }

    @Test("a loop that never has to wait is canceled, too", arguments: Place.allCases)
    func cancelsLoop(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            try await pair.client.writeAll("x")
            let server = Shared(pair.server)
            let task = Task(executorPreference: place.preference(executor)) {
                try await server.value.withCancellation { stream throws(Errno) in
                    var buffer: [UInt8] = [0]
                    while !Task.isCancelled || place == .executor {
                        _ = try await stream.peek(into: buffer.mutableSpan)
                    }
                    throw .canceled
                }
            }
            await letOthersWait()
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
        }
    }

    @Test("a cancellation does not outlast its scope", arguments: Place.allCases)
    func ends(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            let server = Shared(pair.server)
            for _ in 0..<50 {
                let task = Task(executorPreference: place.preference(executor)) {
                    try await server.value.withCancellation { stream throws(Errno) in
                        try await stream.readOnce()
                    }
                }
                await letOthersWait()
                try await pair.client.writeAll("a")
                task.cancel()
                let result = await task.result
                let next = Task(executorPreference: place.preference(executor)) {
                    try await server.value.withCancellation { stream throws(Errno) in
                        try await stream.readOnce()
                    }
                }
                await letOthersWait()
                if case .success = result { try await pair.client.writeAll("a") }
                #expect(try await next.value.text == "a")
            }
        }
    }

    @Test("scopes may be nested", arguments: Place.allCases)
    func nests(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            try await pair.client.writeAll("ab")
            let text = try await pair.server.withCancellation { outer throws(Errno) in
                let first = try await outer.withCancellation { inner throws(Errno) in
                    try await inner.readOnce(room: 1)
                }
                return (first + (try await outer.readOnce(room: 1))).text
            }
            #expect(text == "ab")
        }
    }
}
