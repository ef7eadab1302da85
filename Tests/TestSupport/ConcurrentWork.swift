internal import Foundation
internal import Synchronization

/// Something that is done on a thread of its own, as a blocked task would hold up other tests.
package final class ConcurrentWork<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)

    /// Begins.
    package init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [self] in
            let result = Result { try body() }
            outcome.withLock { $0 = result }
        }
    }

    /// Whether it has not ended yet.
    package var isRunning: Bool { outcome.withLock { $0 == nil } }

    /// Waits for the end, and returns or throws what the work did.
    @discardableResult
    package func join(within limit: Duration = patience) throws -> Value {
        let result = try eventually("the end of concurrent work", within: limit) {
            outcome.withLock { $0 }
        }
        return try result.get()
    }
}
