internal import Synchronization
internal import VerypollConfiguration

/// A server that is checked.
struct HealthTarget {
    /// The number of the server among all that were ever checked.
    let number: Int
    var index: ServerIndex
    let check: UpstreamConfiguration.HealthCheck
    var record: HealthRecord
    /// The time of the next check; `nil` while the server is being checked.
    var dueAt: ContinuousClock.Instant?
    /// Whether the last check could not be made because this machine lacked resources.
    var isHindered = false
    var lastCheck: CheckResult?
}

/// The result of a health check.
package struct CheckResult: Sendable {
    /// The reason of the failure; `nil` for a success.
    package let failure: String?
    /// The time that the check took.
    package let duration: Duration
    /// The time of the result, in microseconds since 1970.
    package let timestamp = WallClock.microseconds()
}

extension ServerCounters {
    /// Counts a check.
    func add(_ result: CheckResult) {
        if result.failure == nil {
            checkSuccesses.add(1, ordering: .relaxed)
        } else {
            checkFailures.add(1, ordering: .relaxed)
        }
        checkTime.add(microseconds: UInt64(max(0, result.duration / .microseconds(1))))
    }
}
