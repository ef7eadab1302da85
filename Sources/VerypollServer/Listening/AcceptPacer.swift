internal import Synchronization
internal import VerypollConfiguration

/// Limits the rate at which all workers together accept the connections of a listener.
///
/// The pacer is a token bucket, stored as the one number of the generic cell rate algorithm: the
/// moment at which the bucket is full again. In any period, it grants at most the burst plus the
/// rate times the length of the period. If the rate does not divide a second into whole
/// nanoseconds, the interval between two connections is rounded up to the next nanosecond.
final class AcceptPacer: Sendable {
    private let fullAt = Atomic<UInt64>(0)
    private let interval: UInt64
    private let tolerance: UInt64

    /// Makes a pacer with a full bucket.
    init(_ rate: ListenerConfiguration.AcceptRate) {
        let perSecond = UInt64(rate.perSecond)
        interval = (1_000_000_000 + perSecond - 1) / perSecond
        tolerance = interval * UInt64(rate.burst - 1)
    }

    /// The answer to a request for a connection.
    enum Answer: Equatable, Sendable {
        /// The worker may accept one connection.
        case granted(Permit)
        /// No worker may accept before this time, in nanoseconds. The first worker that asks from
        /// then on gets the next permit.
        case wait(until: UInt64)
    }

    /// The permission to accept one connection.
    struct Permit: Equatable, Sendable {
        fileprivate let before: UInt64
        fileprivate let after: UInt64
    }

    /// Requests permission for a connection; `now` is the time in nanoseconds on the clock that all
    /// workers use.
    func take(now: UInt64) -> Answer {
        var present = fullAt.load(ordering: .relaxed)
        while true {
            let start = max(present, now)
            guard start - now <= tolerance else { return .wait(until: start - tolerance) }
            let permit = Permit(before: present, after: start + interval)
            let (isDone, found) = fullAt.weakCompareExchange(
                expected: present,
                desired: permit.after,
                ordering: .relaxed
            )
            if isDone { return .granted(permit) }
            present = found
        }
    }

    /// Returns a permit that was not used because no connection was waiting.
    ///
    /// If another worker has obtained a permit in the meantime, this one is lost, because the
    /// bucket does not record how full it would have been.
    func giveBack(_ permit: Permit) {
        _ = fullAt.compareExchange(
            expected: permit.after,
            desired: permit.before,
            ordering: .relaxed
        )
    }
}
