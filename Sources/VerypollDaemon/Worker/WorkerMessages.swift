#if Net && OSExt
internal import SystemPackage
internal import VerypollControl

/// What the supervisor, or another worker, tells a worker.
enum WorkerMessage: Equatable, Sendable {
    /// Go on with these sessions, accept by this plan, and tell.
    case begin(Plan, Inheritance.Share)
    /// Answer with `pong`, which shows that the loop turns.
    case ping
    /// A gate has room again: accept on listeners that paused for it.
    case resume
    /// Work by this plan, and tell.
    case adopt(Plan)
    /// Stop accepting, end the sessions within a time, and tell when no session is left.
    case drain(DrainWindow)
    /// Stop accepting, while the sessions go on.
    case stopAccepting
    /// Pack the sessions for the next process, and end the thread.
    case handOver
    /// End all sessions and the thread.
    case end
    /// List the sessions that fit.
    case listSessions(SessionFilter, ticket: Int)
    /// Show a session.
    case showSession(id: UInt64, ticket: Int)
    /// End a session.
    case killSession(id: UInt64, ticket: Int)
    /// The answer to `writeMetrics`.
    case metrics([UInt8], Exposition.Format)
    /// A server of an upstream may have become available: sessions that wait for one go on.
    case serversChanged
    /// A server is down, or ejected: its live sessions get what the upstream's `whenDown` says.
    case serverDown(upstream: Int, server: Int)
}

/// Which sessions are asked for.
struct SessionFilter: Equatable, Sendable {
    /// The slots of the listener.
    var listeners: [Int]?
    var upstream: String?
    var peer: String?
    var limit: Int
}

/// A message of a worker, or of another thread, to the supervisor.
enum SupervisorMessage: Sendable {
    /// The worker has all that it needs, and waits for `begin`.
    case prepared
    /// The worker accepts on all its listeners.
    case started
    /// Work for a client of the control socket is done.
    case controlJob(ControlJob.Result)
    /// The configuration's file was read, for a reload.
    case configurationRead(ConfigurationReading.Outcome)
    /// A reading that was given up has ended.
    case readingEnded
    /// The worker works by the plan of this number.
    case adopted(plan: Int)
    /// The worker cannot work.
    case failed(Errno)
    /// The answer to `ping`.
    case pong(worker: Int)
    /// The answer to `listSessions`, at most as many as asked for.
    case sessions([Status.Session], isTruncated: Bool, ticket: Int)
    /// The answer to `showSession`.
    case session(Status.Session?, ticket: Int)
    /// The answer to `killSession`.
    case killed(Bool, ticket: Int)
    /// A session has changed the health of a server, at a time in microseconds since 1970.
    case serverChanged(upstream: Int, server: Int, ServerChange, timestamp: Int)
    /// Answer with the metrics as text.
    case writeMetrics(Exposition.Format, worker: Int)
    /// What became of the sessions of the process before that are the worker's.
    case tookUp(TakingUp)
    /// The numbers of the sessions that the worker is about to pack.
    case packing(worker: Int, ids: [UInt64])
    /// Some of the worker's sessions, which it does not serve any more.
    case packed(Parcel)
    /// The worker has packed everything, and closed so many that cannot be handed over.
    case handedOver(closedCount: Int)
    /// The worker drains, and no session is left.
    case empty
    /// The worker's thread is about to end.
    case ended
}
#endif
