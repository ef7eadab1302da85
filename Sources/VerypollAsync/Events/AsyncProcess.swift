public import SystemPackage
public import Verypoll

/// A process whose end a task can wait for, usually a child.
public struct AsyncProcess: ~Copyable, AsyncSource {
    /// The process, for its signals and for calls that do not wait.
    public let process: ProcessSource
    private let registration: Registration

    public var handle: SourceHandle { registration.handle }

    /// Adds a process to an executor.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources.
    public init(_ process: consuming ProcessSource, on executor: PollExecutor) throws(Errno) {
        registration = try Registration(process, on: executor)
        self.process = process
    }

    /// Opens a process by its ID.
    ///
    /// - Parameters:
    ///   - processID: A child that was not waited for, or another process whose ID cannot have
    ///     been reused.
    ///   - executor: The executor that waits for its end.
    /// - Throws: `Errno.noSuchProcess` if no process has the ID. See pidfd_open(2).
    public init(processID: Int32, on executor: PollExecutor) throws(Errno) {
        try self.init(ProcessSource(processID: processID), on: executor)
    }

    /// Waits until the child ends, and reaps it.
    ///
    /// - Parameter deadline: When to stop waiting.
    /// - Returns: How the child ended.
    /// - Throws: `Errno.canceled`, `Errno.deadlineExceeded`, or `Errno.noChildProcess` if the
    ///   process is not a child of this process. To wait for such a process, use
    ///   ``AsyncSource/readable(until:)``.
    public func termination(
        until deadline: Deadline = .never
    ) async throws(Errno) -> ProcessSource.Termination {
        try await handle.perform(.read, until: deadline) { () throws(Errno) in
            try process.termination()
        }
    }
}
