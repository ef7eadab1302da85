internal import Verypoll

/// The sessions of a worker that wait for a report of one kind.
///
/// All of them share at most one open request to the supervisor, so many clients cannot fill its
/// mailbox.
struct ReportQueue {
    /// The sessions that the open request will answer.
    var asking: [SlabKey] = []
    /// The sessions that asked later.
    ///
    /// The report being written may be older than their requests, so they wait for the next one.
    var waiting: [SlabKey] = []
}
