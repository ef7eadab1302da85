internal import Synchronization
public import SystemPackage

/// Several executors, each on a thread of its own, which share the connections of a server.
///
/// ```swift
/// func serve(on listener: borrowing AsyncTCPListener) async throws {
///     let executors = try PollExecutors(count: 4)
///     do {
///         try await listener.serve(on: executors) { stream in
///             print("got a connection on one of \(executors.executors.count) threads")
///         }
///     } catch Errno.canceled {
///         await executors.shutdown(until: .now + .seconds(10))
///     }
/// }
/// ```
public final class PollExecutors: Sendable {
    /// The executors.
    public let executors: [PollExecutor]

    private let turn = Atomic<Int>(0)

    /// Starts executors.
    ///
    /// - Parameters:
    ///   - count: The number of executors, usually that of the processors. Traps unless positive.
    ///   - sourceLimit: The limit of each; see ``PollExecutor/start(sourceLimit:)``.
    /// - Throws: Same as ``PollExecutor/start(sourceLimit:)``. Executors that were started already
    ///   are shut down then.
    public init(count: Int, sourceLimit: Int = 1 << 18) throws(Errno) {
        precondition(count > 0, "the number of executors must be positive")
        var started: [PollExecutor] = []
        do throws(Errno) {
            for _ in 0..<count { started.append(try PollExecutor.start(sourceLimit: sourceLimit)) }
        } catch {
            for executor in started { executor.requestShutdown(until: .now) }
            throw error
        }
        executors = started
    }

    /// Returns the executor with the fewest connections; among equals, each in turn.
    public func next() -> PollExecutor {
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        var best = executors[abs(start % executors.count)]
        var fewest = best.core.value.sources.delayingCount
        for step in 1..<max(executors.count, 1) {
            let other = executors[abs((start &+ step) % executors.count)]
            let count = other.core.value.sources.delayingCount
            if count < fewest {
                best = other
                fewest = count
            }
        }
        return best
    }

    /// Ends all executors; see ``PollExecutor/shutdown(until:)``.
    ///
    /// - Parameter deadline: The time for the tasks of all of them to end by themselves.
    public func shutdown(until deadline: Deadline = .now) async {
        for executor in executors { executor.requestShutdown(until: deadline) }
        for executor in executors { await executor.shutdown(until: deadline) }
    }
}
