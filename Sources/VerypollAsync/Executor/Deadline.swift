/// The time at which a wait ends, in nanoseconds of the continuous clock; possibly never.
///
/// The size of `ContinuousClock.Instant` is not known when this is compiled. A record that contains
/// one is accessed through its metadata, and a function that stores one allocates memory for it. So
/// the public functions convert their deadlines at once, and everything else uses this type.
@usableFromInline
struct Deadline: Comparable, Sendable {
    private let nanoseconds: Int64

    private init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A time that never comes.
    @usableFromInline static var never: Deadline { Deadline(nanoseconds: .max) }

    static var now: Deadline { Deadline(at: .now) }

    /// Converts a public deadline, of which `nil` is never.
    @inlinable
    init(_ instant: ContinuousClock.Instant?) {
        if let instant {
            self.init(at: instant)
        } else {
            self = .never
        }
    }

    /// Converts an instant, rounded up to nanoseconds.
    @usableFromInline
    init(at instant: ContinuousClock.Instant) {
        let time = ContinuousClock().systemEpoch.duration(to: instant).components
        let (whole, overflows) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let part = (time.attoseconds + 999_999_999) / 1_000_000_000
        let (sum, overflowsToo) = whole.addingReportingOverflow(part)
        let limit: Int64 = time.seconds < 0 ? .min : .max
        nanoseconds = overflows || overflowsToo ? limit : sum
    }

    var instant: ContinuousClock.Instant {
        ContinuousClock().systemEpoch + .nanoseconds(nanoseconds)
    }

    /// Returns the deadline that is later by a time, which must be shorter than a century.
    func advanced(by duration: Duration) -> Deadline {
        guard self < .never else { return self }
        return Deadline(nanoseconds: nanoseconds &+ Deadline.nanoseconds(of: duration))
    }

    private static func nanoseconds(of duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    @inline(__always)
    @usableFromInline
    static func < (first: Deadline, second: Deadline) -> Bool {
        first.nanoseconds < second.nanoseconds
    }
}
