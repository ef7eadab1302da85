internal import SystemPackage

/// What the supervisor, or another worker, tells a worker.
package enum WorkerMessage: Equatable, Sendable {
    /// Go on with these sessions, accept by this snapshot, and tell.
    case begin(WorkerSnapshot, SessionShare)
    /// Answer with `pong`, which shows that the loop turns.
    case ping
    /// A limiter has room again: accept on listeners that paused for it.
    case resume
    /// Work by this snapshot, and tell.
    case adopt(WorkerSnapshot)
    /// Stop accepting, end the sessions within a time, and tell when no session is left.
    case drain(DrainWindow)
    /// Stop accepting, while the sessions go on.
    case stopAccepting
    /// Pack the sessions for the next process, and end the thread.
    case handoff
    /// End all sessions and the thread.
    case end
    /// List the sessions that fit.
    case listSessions(SessionFilter, callID: Int)
    /// Show a session.
    case showSession(id: UInt64, callID: Int)
    /// End a session.
    case killSession(id: UInt64, callID: Int)
    /// The answer to `writeMetrics`.
    case metrics([UInt8], MetricsFormat)
    /// A server of an upstream may have become available: sessions that wait for one go on.
    case serversChanged
    /// A server is down, or ejected: its live sessions get what the upstream's `whenDown` says.
    case serverDown(upstream: Int, server: Int)
}

/// Which sessions are asked for.
package struct SessionFilter: Equatable, Sendable {
    /// The slots of the listener.
    package var listeners: [Int]?
    package var upstream: String?
    package var peer: String?
    package var limit: Int

    package init(
        listeners: [Int]? = nil,
        upstream: String? = nil,
        peer: String? = nil,
        limit: Int
    ) {
        self.listeners = listeners
        self.upstream = upstream
        self.peer = peer
        self.limit = limit
    }
}
