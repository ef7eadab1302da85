public import SystemPackage

extension PollExecutor {
    /// Suspends the task until a time.
    ///
    /// - Parameter deadline: The time. The task never resumes earlier.
    /// - Throws: `Errno.canceled` if the task is canceled, `Errno.deadlineExceeded` if the deadline
    ///   of an enclosing ``withDeadline(_:_:)`` is earlier, `Errno.tooManyOpenFiles` if the
    ///   executor is at its limit of sources.
    public func sleep(until deadline: Deadline) async throws(Errno) {
        let timer = try Registration(timerOn: self)
        try await timer.handle.sleep(until: deadline)
    }
}
