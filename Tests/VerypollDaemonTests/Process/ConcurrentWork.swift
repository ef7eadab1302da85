internal import Foundation
internal import Synchronization
internal import TestSupport

/// Something that is done on a thread of its own, as a blocked task would hold up other tests.
final class ConcurrentWork: Sendable {
    private let outcome = Mutex<Result<Void, any Error>?>(nil)

    /// Begins.
    init(_ body: @escaping @Sendable () throws -> Void) {
        Thread.detachNewThread { [self] in
            let result = Result { try body() }
            outcome.withLock { $0 = result }
        }
    }

    /// Whether it has not ended yet.
    var isRunning: Bool { outcome.withLock { $0 == nil } }

    /// Waits for the end, and throws what the work threw.
    func join(within limit: Duration = patience) throws {
        let result = try eventually("the end of concurrent work", within: limit) {
            outcome.withLock { $0 }
        }
        try result.get()
    }
}
