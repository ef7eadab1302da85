public import SystemPackage

/// A socket, pipe end or other source that belongs to a ``PollExecutor``.
///
/// Every operation has a deadline, by default ``Deadline/never``, at which its wait ends with
/// `Errno.deadlineExceeded`. When its task is canceled, an operation that waits throws
/// `Errno.canceled`. Either way the source remains usable. An operation that need not wait does
/// not look at its deadline, and only now and then at the cancellation of its task.
///
/// At most one task may read and one may write at a time; a second one traps when it has to wait.
public protocol AsyncSource: ~Copyable, Sendable {
    /// The place of the source in its executor, for the library's own use.
    var handle: SourceHandle { get }
}

extension AsyncSource where Self: ~Copyable {
    /// Waits until a read, receive or accept would not block.
    ///
    /// - Parameter deadline: When to stop waiting.
    /// - Throws: `Errno.canceled` or `Errno.deadlineExceeded`.
    public func readable(until deadline: Deadline = .never) async throws(Errno) {
        try await handle.waitUntilReady(.read, until: deadline)
    }

    /// Waits until a write or send would not block.
    ///
    /// - Parameter deadline: When to stop waiting.
    /// - Throws: `Errno.canceled` or `Errno.deadlineExceeded`.
    public func writable(until deadline: Deadline = .never) async throws(Errno) {
        try await handle.waitUntilReady(.write, until: deadline)
    }

    /// Runs `body` with one cancellation handler for all operations on this source.
    ///
    /// Outside such a scope, each wait sets up a handler of its own, which costs about as much as
    /// the wait itself. In it, operations on this source cost nothing extra. Once the task is
    /// canceled, they throw `Errno.canceled`, even those that would not have to wait. The `serve`
    /// methods of listeners set up one scope for all their connections.
    ///
    /// The scope is that of the source: if other tasks use the source meanwhile, their operations
    /// end with the cancellation of this task, and not with that of their own.
    ///
    /// - Parameter body: The work; it gets the source itself.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`.
    public func withCancellation<Value, Failure: Error>(
        _ body: (borrowing Self) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        guard let scope = handle.beginScope() else { return try await body(self) }
        defer { handle.endScope(scope) }
        let result: Result<Value, Failure> = await withTaskCancellationHandler {
            do throws(Failure) {
                return .success(try await body(self))
            } catch {
                return .failure(error)
            }
        } onCancel: { [handle] in
            handle.cancelScope(scope)
        }
        return try result.get()
    }
}
