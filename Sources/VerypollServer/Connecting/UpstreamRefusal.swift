internal import Synchronization

/// The reason that a session got no server: a value of the label `reason`.
package enum UpstreamRefusal: String, CaseIterable, Sendable {
    /// Each server is down, is set to down by an operator, or has no address.
    case down
    /// The servers that were tried could not be reached.
    case unreachable
    /// The queue of the upstream was full.
    case queueFull = "queue_full"
    /// The upstream stayed full for too long.
    case queueTimeout = "queue_timeout"
    /// A timeout of the listener passed before a server was reached.
    case timedOut = "timed_out"
    /// The daemon had no descriptor, memory or port left for the connection to the server.
    case resources
}

/// Counts the refusals of an upstream, for all the workers at once.
package final class RefusalCounters: Sendable {
    private let counts: [6 of Atomic<UInt64>] = .init { _ in Atomic(0) }

    /// Counts a refusal.
    func add(_ refusal: UpstreamRefusal) {
        counts[Self.index(of: refusal)].add(1, ordering: .relaxed)
    }

    /// Returns the number of refusals with this reason.
    package func count(of refusal: UpstreamRefusal) -> UInt64 {
        counts[Self.index(of: refusal)].load(ordering: .relaxed)
    }

    private static func index(of refusal: UpstreamRefusal) -> Int {
        switch refusal {
        case .down: 0
        case .unreachable: 1
        case .queueFull: 2
        case .queueTimeout: 3
        case .timedOut: 4
        case .resources: 5
        }
    }
}
