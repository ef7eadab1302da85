package import Synchronization

/// Counts the waits and retries of an upstream's sessions, for all the workers at once.
package final class UpstreamCounters: Sendable {
    /// The times that sessions have spent in the queue, without sessions that have not waited.
    package let queueWait = SharedHistogram<QueueTime>()
    /// The attempts to connect after the first one of a session.
    package let retries = Atomic<UInt64>(0)

    /// Counts an attempt to connect if it is not the first one of its session.
    func noteAttempt(_ effort: SearchEffort) {
        if effort.retryCount > 0 { retries.add(1, ordering: .relaxed) }
    }
}

/// The buckets for the time in an upstream's queue, from one millisecond to a minute.
package enum QueueTime: HistogramScale {
    package static let bounds: [15 of UInt64] = [
        1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
    ]
}
