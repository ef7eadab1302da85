internal import VerypollServer

/// Decides when a report for the status page is written, so that many browsers cost as much as one.
///
/// A report is written once for all requests within its lifetime. A request that arrives while the
/// report is written gets that report.
struct ReportCache {
    /// The lifetime of a report that is written quickly.
    static let lifetime = Duration.milliseconds(500)

    /// The lifetime as a multiple of the time that the writing took, which limits the share of a
    /// processor that reports can use.
    static let lifetimeFactor = 10

    /// The next step for a request.
    enum Action: Equatable {
        /// The worker gets this report.
        case answer(Report)
        /// The report must be written, and passed to ``note(_:took:now:)``.
        case write
        /// The report is being written.
        case wait
    }

    private var report: Report?
    private var expiresAt = ContinuousClock.Instant.now
    /// The workers that wait for the report that is being written; `nil` if none is.
    private var asking: [Int]?

    /// Notes the request of a worker.
    mutating func ask(worker: Int, now: ContinuousClock.Instant) -> Action {
        guard asking == nil else {
            asking?.append(worker)
            return .wait
        }
        if let report, now < expiresAt { return .answer(report) }
        asking = [worker]
        return .write
    }

    /// Notes a written report.
    ///
    /// - Returns: The workers that get it.
    mutating func note(
        _ report: Report,
        took time: Duration,
        now: ContinuousClock.Instant
    ) -> [Int] {
        self.report = report
        expiresAt = now + max(Self.lifetime, time * Self.lifetimeFactor)
        return asking.take() ?? []
    }

    /// Drops an expired report, which may be large.
    mutating func expire(now: ContinuousClock.Instant) {
        if expiresAt <= now { report = nil }
    }
}
