internal import Synchronization
internal import VerypollConfiguration

/// A change of a server's health that a session's attempt to connect caused.
package enum ServerChange: Equatable, Sendable {
    /// The server was ejected because of failures in a row, until this millisecond of the monotonic
    /// clock.
    case ejected(until: UInt64)
    /// The server has accepted a connection after an ejection.
    case readmitted
}

/// Counts a server's failures to connect, for all the workers at once.
///
/// After `fall` failures in a row, the server is ejected for a time. Then it is on probation: the
/// next failure ejects it again, and the next success ends the probation.
struct PassiveHealth: ~Copyable, Sendable {
    private let fall: Int
    /// The length of an ejection in milliseconds.
    private let duration: UInt64
    private let failuresInRow = Atomic(0)
    /// The millisecond at which the last ejection ends; 0 if the server is neither ejected nor on
    /// probation.
    private let end = Atomic<UInt64>(0)

    init(_ configuration: UpstreamConfiguration.PassiveCheck) {
        fall = configuration.fall
        duration = configuration.duration.milliseconds
    }

    /// Returns whether the server is ejected at this millisecond.
    func isEjected(now: UInt64) -> Bool {
        end.load(ordering: .relaxed) > now
    }

    /// Notes that a connection was established.
    func succeed() -> ServerChange? {
        // Most successes change nothing. Without a write, the cache line stays shared by all
        // workers.
        if failuresInRow.load(ordering: .relaxed) != 0 {
            failuresInRow.store(0, ordering: .relaxed)
        }
        guard end.load(ordering: .relaxed) != 0 else { return nil }
        return end.exchange(0, ordering: .relaxed) == 0 ? nil : .readmitted
    }

    /// Notes that no connection was established.
    func fail(now: UInt64) -> ServerChange? {
        let present = end.load(ordering: .relaxed)
        // A failure during an ejection does not count. Otherwise, the ejection would be extended
        // again and again, and probation would never begin.
        guard present <= now else { return nil }
        if present == 0, failuresInRow.add(1, ordering: .relaxed).newValue < fall { return nil }
        // If several workers fail at the same time, one of them ejects the server.
        let until = now.addingReportingOverflow(duration)
        let next = until.overflow ? .max : until.partialValue
        guard
            end.compareExchange(expected: present, desired: next, ordering: .relaxed).exchanged
        else { return nil }
        failuresInRow.store(0, ordering: .relaxed)
        return .ejected(until: next)
    }
}
