internal import Foundation
internal import Synchronization

/// Work on a thread of its own: a blocked task would hold up other tests.
package final class ConcurrentWork<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)

    /// Starts the work.
    package init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [self] in
            let result = Result { try body() }
            outcome.withLock { $0 = result }
        }
    }

    /// Whether the work has not finished.
    package var isRunning: Bool { outcome.withLock { $0 == nil } }

    /// Waits for the work to finish, and returns or throws its result.
    @discardableResult
    package func join(within limit: Duration = patience) throws -> Value {
        let result = try eventually("the end of concurrent work", within: limit) {
            outcome.withLock { $0 }
        }
        return try result.get()
    }
}

/// Runs blocking work on a thread of its own while the task waits.
///
/// A test that blocks its own thread takes it from the global executor, which has one for each
/// processor.
///
/// - Parameter body: The work.
/// - Returns: The result of the work.
/// - Throws: The error of the work.
package func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
