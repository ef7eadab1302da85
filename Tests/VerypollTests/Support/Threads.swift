import Foundation
import Synchronization
import TestSupport
import Testing

/// Runs `body` on a thread of its own, for as long as the test goes on.
///
/// A poll blocks its thread. Were both ends of a test on the cooperative pool, which has one
/// thread per core, the blocked tests would keep the ones that wake them from running.
func onThread(_ body: @escaping @Sendable () throws -> Void) {
    Thread.detachNewThread {
        #expect(throws: Never.self) { try body() }
    }
}

/// Runs `body` on a thread of its own to its end, and returns what it gave.
///
/// For what a thread is left with, as blocked signals, and for work beside the test's own.
func joiningThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) throws -> Value {
    try ConcurrentWork(body).join()
}

/// Runs `body` on a thread of its own once this thread sleeps, as it does in a poll.
func whenAsleep(_ body: @escaping @Sendable () throws -> Void) throws {
    let link = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
    onThread {
        try eventually("the thread to sleep") {
            let status = try String(contentsOfFile: "/proc/\(link)/stat", encoding: .utf8)
            return status.split(separator: ") ").last?.first == "S"
        }
        try body()
    }
}

/// A value that threads share, for as long as one of them needs it.
final class Held<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) {
        self.value = value
    }
}

/// A number that threads add to.
final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    func add(_ more: Int) { count.add(more, ordering: .sequentiallyConsistent) }
}
