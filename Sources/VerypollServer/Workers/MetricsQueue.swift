internal import Verypoll

/// The sessions of a worker that wait for metrics in one format.
///
/// At most one question is under way for all of them, so no crowd of clients can fill a mailbox.
struct MetricsQueue {
    /// Those that the question under way was asked for.
    var asking: [SlabKey] = []
    /// Those that came later: what is being written may be older than their requests.
    var waiting: [SlabKey] = []
}
