internal import SystemPackage

/// A message to a worker from the supervisor or another worker.
package enum WorkerMessage: Equatable, Sendable {
    /// Restore these sessions, accept according to this snapshot, and report `started`.
    case begin(WorkerSnapshot, SessionShare)
    /// Answer with `pong`, which proves that the worker's loop runs.
    case ping
    /// A limiter has room again: accept on the listeners that wait for it, and let the sessions in
    /// the queues of upstreams try again.
    case resume
    /// Use this snapshot from now on, and report `adopted`.
    case adopt(WorkerSnapshot)
    /// Stop accepting, end the sessions within this window, and report `empty` after the last one.
    case drain(DrainWindow)
    /// Stop accepting; the sessions continue.
    case stopAccepting
    /// Pack the sessions for the next process, and end the thread.
    case handoff
    /// End all sessions and the thread.
    case end
    /// List the sessions that match the filter.
    case listSessions(SessionFilter, callID: Int)
    /// Show a session.
    case showSession(id: UInt64, callID: Int)
    /// End a session.
    case killSession(id: UInt64, callID: Int)
    /// End the sessions that match the filter, and report `killedSessions` at the end.
    case killSessions(SessionFilter, callID: Int)
    /// The answer to `writeReport`.
    case report(Report)
    /// A server of an upstream may have become available: retry the sessions that wait for one.
    case serversChanged
    /// Servers are down: apply the upstreams' `whenDown` to their live sessions, and let those that
    /// are still connecting choose another server.
    case serversDown(Set<ServerIndex>)
    /// Servers are no longer down: remove the deadlines that `whenDown` set for their sessions.
    case serversUp(Set<ServerIndex>)
}
