import SystemPackage
import Testing
import VerypollAsync

/// Where the tasks of a test run.
///
/// Operations take different paths on the thread of their executor and on other threads, so most
/// tests run in both places.
enum Place: String, CaseIterable, Sendable {
    /// The tasks prefer the executor of their sockets.
    case executor = "on the executor"
    /// The tasks run on the global executor.
    case elsewhere = "on the global executor"

    /// Runs `body` with a new executor, and waits until the executor has ended.
    ///
    /// The executor ends by itself once all of its sources are closed, so a source that is left
    /// behind is a test that does not end.
    func run<Value: Sendable>(
        sourceLimit: Int = 4096,
        _ body: @Sendable (PollExecutor) async throws -> Value
    ) async throws -> Value {
        let executor = try PollExecutor.start(sourceLimit: sourceLimit)
        do {
            let value = try await withTaskExecutorPreference(preference(executor)) {
                // The task moves to the executor when it suspends for the first time.
                await Task.yield()
                try #require(executor.isCurrent == (self == .executor))
                return try await body(executor)
            }
            await executor.shutdown(until: .now + .seconds(3600))
            return value
        } catch {
            await executor.shutdown()
            throw error
        }
    }

    /// The executor that the tasks of the test prefer.
    func preference(_ executor: PollExecutor) -> (any TaskExecutor)? {
        switch self {
        case .executor: executor
        case .elsewhere: nil
        }
    }
}

extension Place: CustomTestStringConvertible {
    var testDescription: String { rawValue }
}

/// Runs `body` in a task of a new executor.
func withExecutor<Value: Sendable>(
    _ body: @Sendable (PollExecutor) async throws -> Value
) async throws -> Value {
    try await Place.executor.run(body)
}

/// Lets the other tasks of the executor run until each has waited or ended.
///
/// On an executor's own thread, tasks take turns in a fixed order, so this replaces a pause.
func letOthersWait() async {
    for _ in 0..<8 { await Task.yield() }
}
