import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("Misuse", .timeLimit(.minutes(2)))
struct MisuseTests {
    @Test("two tasks that wait to read from one source trap with a sentence")
    func readsTwice() async throws {
        let result = await #expect(
            processExitsWith: .failure,
            observing: [\.standardErrorContent]
        ) {
            try await survives { executor in
                let pair = try await TCPPair(on: executor)
                let server = Shared(pair.server)
                for _ in 0..<2 {
                    Task(executorPreference: executor) { try await server.value.readOnce() }
                }
                await letOthersWait()
            }
        }
        expectSentence("another task is already waiting for this direction", in: result)
    }

    @Test("two tasks that wait to write to one source trap, wherever they run")
    func writesTwice() async throws {
        await #expect(processExitsWith: .failure) {
            try await survives { executor in
                let pair = try await TCPPair(on: executor)
                let server = Shared(pair.server)
                let bytes = [UInt8](repeating: 0, count: 64 << 20)
                let tasks = (0..<2).map { _ in Task { try await server.value.writeAll(bytes) } }
                for task in tasks { try await task.value }
            }
        }
    }

    @Test("reading and waiting for readability at a time trap, too")
    func waitsTwice() async throws {
        await #expect(processExitsWith: .failure) {
            try await survives { executor in
                let pair = try await TCPPair(on: executor)
                let server = Shared(pair.server)
                Task(executorPreference: executor) { try await server.value.readable() }
                Task(executorPreference: executor) { try await server.value.readOnce() }
                await letOthersWait()
            }
        }
    }

    @Test("an empty list of addresses and a limit of no connections trap")
    func rejectsArguments() async throws {
        await #expect(processExitsWith: .failure) {
            try await survives { executor in
                _ = try await AsyncTCPStream.connect(toAnyOf: [], on: executor)
            }
        }
        await #expect(processExitsWith: .failure) {
            try await survives { executor in
                let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
                try await listener.serve(limit: 0) { _ in }
            }
        }
    }

    @Test("a read into an empty buffer traps, because it would look like the end of the stream")
    func rejectsEmptyBuffer() async throws {
        await #expect(processExitsWith: .failure) {
            try await survives { executor in
                let pair = try await TCPPair(on: executor)
                try await pair.client.writeAll("x")
                try await pair.server.readable()
                _ = try await pair.server.readOnce(room: 0)
            }
        }
    }

    /// Expects the sentence on standard error; release builds print none.
    private func expectSentence(_ sentence: String, in result: ExitTest.Result?) {
        #if DEBUG
        let output = result?.standardErrorContent ?? []
        #expect(output.text.contains(sentence))
        #endif
    }
}

/// Runs code that must trap, in an exit test that expects a failure.
///
/// Exits successfully if the code returns or throws, so that an error is not mistaken for the trap.
private func survives(_ body: @Sendable (PollExecutor) async throws -> Void) async throws {
    _ = try? await withExecutor(body)
    exit(EXIT_SUCCESS)
}
