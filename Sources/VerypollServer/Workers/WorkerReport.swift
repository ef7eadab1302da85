package import SystemPackage

/// A message of a worker, or of another thread, to the supervisor.
package enum WorkerReport: Sendable {
    /// The worker has all that it needs, and waits for `begin`.
    case prepared
    /// The worker accepts on all its listeners.
    case started
    /// The worker works by the snapshot of this number.
    case adopted(snapshot: Int)
    /// The worker cannot work.
    case failed(Errno)
    /// The answer to `ping`.
    case pong(worker: Int)
    /// The answer to `listSessions`, at most as many as asked for.
    case sessions([SessionSnapshot], isTruncated: Bool, callID: Int)
    /// The answer to `showSession`.
    case session(SessionSnapshot?, callID: Int)
    /// The answer to `killSession`.
    case killed(Bool, callID: Int)
    /// A session has changed the health of a server, at a time in microseconds since 1970.
    case serverChanged(upstream: Int, server: Int, ServerChange, timestamp: Int)
    /// Answer with the metrics as text.
    case writeMetrics(MetricsFormat, worker: Int)
    /// What became of the sessions of the process before that are the worker's.
    case restored(RestoreOutcome)
    /// The numbers of the sessions that the worker is about to pack.
    case packing(worker: Int, ids: [UInt64])
    /// Some of the worker's sessions, which it does not serve any more.
    case packed(SessionBundle)
    /// The worker has packed everything, and closed so many that cannot be handed over.
    case handedOff(closedCount: Int)
    /// The worker drains, and no session is left.
    case empty
    /// The worker's thread is about to end.
    case ended
}
