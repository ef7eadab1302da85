import Foundation
import Synchronization
import TestSupport
import Testing

/// Runs `body` on its own thread, for as long as the test runs.
///
/// A poll blocks its thread. If both sides of a test ran on the cooperative pool, which has one
/// thread per core, blocked tests could keep the code that wakes them from running.
func onThread(_ body: @escaping @Sendable () throws -> Void) {
    Thread.detachNewThread {
        #expect(throws: Never.self) { try body() }
    }
}

/// Runs `body` on its own thread until it returns, and returns its result.
///
/// For code that changes its thread, such as blocking signals, and for work in parallel to the
/// test.
func joiningThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) throws -> Value {
    try ConcurrentWork(body).join()
}

/// Runs `body` on its own thread once the calling thread sleeps, as it does in a poll.
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

/// A value that threads share; it is destroyed with the last reference.
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
