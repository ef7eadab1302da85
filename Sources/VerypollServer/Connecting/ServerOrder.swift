package import Synchronization
internal import VerypollConfiguration

/// An operator's order for a server.
package enum ServerOrder: UInt8, Sendable {
    /// The server gets sessions if its health allows it.
    case up
    /// The server gets no new sessions, and its open sessions are drained.
    case drain
    /// The server is treated as if its checks had found it to be down.
    case down

    /// The order that the configuration gives.
    init(_ state: UpstreamConfiguration.Server.State) {
        self =
            switch state {
            case .up: .up
            case .drain: .drain
            case .down: .down
            }
    }
}

/// Monotonic counters of a server, to which several workers add.
package struct ServerCounters: ~Copyable, Sendable {
    /// The sessions that have connected.
    package let sessions = Atomic(0)
    /// The sessions that could not connect.
    package let failures = Atomic(0)
    /// The times that successful connects took.
    package let connectTime = SharedHistogram<ConnectTime>()
    /// The failed attempts and the failed connections, by kind.
    package let errors = SharedKindCounts<ServerErrorKind>()
    /// The health checks that succeeded.
    package let checkSuccesses = Atomic(0)
    /// The health checks that failed.
    package let checkFailures = Atomic(0)
    /// The times that health checks took, whatever their result.
    package let checkTime = SharedHistogram<ConnectTime>()
}
