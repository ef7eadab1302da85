internal import SystemPackage

/// The pauses between tries of a call for which no event reports that the next try may succeed.
struct RetryPause {
    private var length = Duration.milliseconds(1)
    private let deadline: Deadline

    init(until deadline: Deadline) {
        self.deadline = deadline
    }

    /// Waits until the next try: 1 ms at first, then twice as long each time, up to 100 ms.
    ///
    /// - Throws: `Errno.deadlineExceeded` or `Errno.canceled`.
    mutating func wait(on executor: PollExecutor) async throws(Errno) {
        let now = Deadline.now
        guard now < deadline else { throw .deadlineExceeded }
        try await executor.sleep(until: min(deadline, now + length))
        length = min(length * 2, .milliseconds(100))
    }
}
