package import SystemPackage

/// A message to the supervisor from a worker or another thread.
package enum WorkerReport: Sendable {
    /// The worker is set up and waits for `begin`.
    case prepared
    /// The worker accepts on all its listeners.
    case started
    /// The worker uses the snapshot with this number.
    case adopted(snapshot: Int)
    /// The worker has failed and stopped.
    case failed(Errno)
    /// The answer to `ping`.
    case pong(worker: Int)
    /// The answer to `listSessions`, with at most the requested number of sessions.
    case sessions([SessionSnapshot], isTruncated: Bool, callID: Int)
    /// The answer to `showSession`.
    case session(SessionSnapshot?, callID: Int)
    /// The answer to `killSession`: the session as it was, or `nil` if it was not open.
    case killed(SessionSnapshot?, callID: Int)
    /// The answer to `killSessions`: the number of sessions that the worker has ended.
    case killedSessions(Int, callID: Int)
    /// A session has changed the health of a server, at this time in microseconds since 1970.
    ///
    /// The server is not identified by its index: another server may have that index by the time
    /// the report is handled.
    case serverChanged(UpstreamServer, ServerChange, timestamp: Int)
    /// A request for a report of this kind; the answer is the message `report`.
    case writeReport(ReportKind, worker: Int)
    /// The result of restoring the worker's share of the previous process's sessions.
    case restored(RestoreOutcome)
    /// The IDs of the sessions that the worker is about to pack.
    case packing(worker: Int, ids: [UInt64])
    /// Some of the worker's sessions, which it no longer serves.
    case packed(SessionBundle)
    /// The worker has packed its sessions, and closed those that cannot be handed over.
    case handedOff(closedCount: Int)
    /// The worker has stopped accepting, and its last session has ended.
    case empty
    /// The worker's thread is about to end.
    case ended
}
