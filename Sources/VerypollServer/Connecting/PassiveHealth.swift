internal import Synchronization
internal import VerypollConfiguration

/// What a session has changed in the health of a server.
package enum ServerChange: Equatable, Sendable {
    /// So many failures in a row took it out until this millisecond of the monotonic clock.
    case ejected(until: UInt64)
    /// It has accepted a connection, after it had been taken out.
    case readmitted
}

/// Counts a server's failures to connect, for all the workers at once.
///
/// So many failures in a row eject it for a time. Afterwards it is on probation: the next failure
/// ejects it again, and the next success makes it a server like any other.
struct PassiveHealth: ~Copyable, Sendable {
    private let fall: Int
    /// In milliseconds.
    private let duration: UInt64
    private let failuresInRow = Atomic(0)
    /// The millisecond at which the last ejection ends, or 0 if it is neither out nor on probation.
    private let end = Atomic<UInt64>(0)

    init(_ configuration: UpstreamConfiguration.PassiveCheck) {
        fall = configuration.fall
        duration = configuration.duration.milliseconds
    }

    /// Whether the server is out at this millisecond.
    func isEjected(now: UInt64) -> Bool {
        end.load(ordering: .relaxed) > now
    }

    /// Notes that a connection was established.
    func succeed() -> ServerChange? {
        // A success is the rule, and changes nothing; so it is not to write what all share.
        if failuresInRow.load(ordering: .relaxed) != 0 {
            failuresInRow.store(0, ordering: .relaxed)
        }
        guard end.load(ordering: .relaxed) != 0 else { return nil }
        return end.exchange(0, ordering: .relaxed) == 0 ? nil : .readmitted
    }

    /// Notes that no connection was established.
    func fail(now: UInt64) -> ServerChange? {
        let present = end.load(ordering: .relaxed)
        // Whoever tried it while it was out says nothing new: else it would never be on probation.
        guard present <= now else { return nil }
        if present == 0, failuresInRow.add(1, ordering: .relaxed).newValue < fall { return nil }
        // Of several that fail at the same time, one ejects it.
        let until = now.addingReportingOverflow(duration)
        let next = until.overflow ? .max : until.partialValue
        guard
            end.compareExchange(expected: present, desired: next, ordering: .relaxed).exchanged
        else { return nil }
        failuresInRow.store(0, ordering: .relaxed)
        return .ejected(until: next)
    }
}
