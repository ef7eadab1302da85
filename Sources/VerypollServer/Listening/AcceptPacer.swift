internal import Synchronization
internal import VerypollConfiguration

/// Holds the connections of a listener to its rate, for all the workers at once.
///
/// It is a token bucket, kept as the one number of the generic cell rate algorithm: the moment at
/// which the bucket is full again. In any span of time no more connections are granted than the
/// burst and what the rate gives for the span; where a second is no multiple of the rate, the rate
/// is lower by less than a nanosecond for each connection.
final class AcceptPacer: Sendable {
    private let fullAt = Atomic<UInt64>(0)
    private let interval: UInt64
    private let tolerance: UInt64

    /// Makes a pacer whose bucket is full.
    init(_ rate: ListenerConfiguration.AcceptRate) {
        let perSecond = UInt64(rate.perSecond)
        interval = (1_000_000_000 + perSecond - 1) / perSecond
        tolerance = interval * UInt64(rate.burst - 1)
    }

    /// What came of asking for a connection.
    enum Answer: Equatable, Sendable {
        /// One may be accepted.
        case granted(Permit)
        /// None before this nanosecond, at which the next one is there unless another asks first.
        case wait(until: UInt64)
    }

    /// The leave to accept one connection.
    struct Permit: Equatable, Sendable {
        fileprivate let before: UInt64
        fileprivate let after: UInt64
    }

    /// Asks for a connection, at the present nanosecond of a clock that all askers share.
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

    /// Gives back a permit for which no connection was there.
    ///
    /// It is lost if another worker has taken one meanwhile, as the bucket can't tell any more how
    /// full it would have been.
    func giveBack(_ permit: Permit) {
        _ = fullAt.compareExchange(
            expected: permit.after,
            desired: permit.before,
            ordering: .relaxed
        )
    }
}
