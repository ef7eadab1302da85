internal import Verypoll

/// The sessions of a worker that wait for metrics in one format.
///
/// All of them share at most one open request to the supervisor, so many clients cannot fill its
/// mailbox.
struct MetricsQueue {
    /// The sessions that the open request will answer.
    var asking: [SlabKey] = []
    /// The sessions that asked later.
    ///
    /// The metrics being written may be older than their requests, so they wait for the next ones.
    var waiting: [SlabKey] = []
}
