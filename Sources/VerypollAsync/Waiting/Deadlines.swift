internal import Synchronization
public import SystemPackage

/// The deadlines of enclosing calls of `withDeadline`.
enum DeadlineScope {
    @TaskLocal fileprivate static var deadline = Deadline.never

    /// The number of scopes in the process, so that a wait need not search the task's values while
    /// there is none.
    fileprivate static let count = Atomic<Int>(0)

    /// Returns the earlier of a deadline and that of the enclosing scope.
    @inline(__always)
    static func earliest(_ deadline: Deadline) -> Deadline {
        count.load(ordering: .relaxed) == 0 ? deadline : earliestInScope(deadline)
    }

    @inline(never)
    private static func earliestInScope(_ deadline: Deadline) -> Deadline {
        min(deadline, Self.deadline)
    }
}

/// Runs `body` with a deadline for each wait of this library in it.
///
/// ```swift
/// func handshake(_ stream: borrowing AsyncTCPStream) async throws(Errno) -> UInt8 {
///     try await withDeadline(.now + .seconds(5)) { () async throws(Errno) in
///         var version: [UInt8] = [0]
///         try await stream.writeAll([5, 1, 0].span)
///         _ = try await stream.read(into: version.mutableSpan)
///         return version[0]
///     }
/// }
/// ```
///
/// An operation that still waits at the deadline throws `Errno.deadlineExceeded`, and its socket
/// remains usable. The deadline covers child tasks too, and an inner scope cannot extend it. It
/// does not interrupt computations or waits for anything but this library.
///
/// - Parameters:
///   - deadline: The time at which waits end.
///   - body: The work.
/// - Returns: The result of `body`.
/// - Throws: The error of `body`.
public func withDeadline<Value, Failure: Error>(
    _ deadline: Deadline,
    _ body: () async throws(Failure) -> Value
) async throws(Failure) -> Value {
    DeadlineScope.count.wrappingAdd(1, ordering: .relaxed)
    defer { DeadlineScope.count.wrappingSubtract(1, ordering: .relaxed) }
    let earliest = DeadlineScope.earliest(deadline)
    let result = await DeadlineScope.$deadline.withValue(earliest) {
        do throws(Failure) {
            return Result<Value, Failure>.success(try await body())
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

extension Errno {
    /// The deadline of an operation passed before the operation could complete; `ETIME`.
    ///
    /// The kernel reports other time-outs, such as that of a connect, as `Errno.timedOut`.
    public static var deadlineExceeded: Errno { Errno(rawValue: 62) }
}
