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
    ///
    /// Instants before the start of the machine have passed; those after 136 years never come.
    @usableFromInline
    init(at instant: ContinuousClock.Instant) {
        let attoseconds = ContinuousClock().systemEpoch.duration(to: instant).attoseconds
        let rounded = attoseconds + 999_999_999
        // A division of 128 bits by 64 is a single instruction; one by 128 bits is a long function.
        let high = Int64(truncatingIfNeeded: rounded >> 64)
        let low = UInt64(truncatingIfNeeded: rounded)
        if high < 0 {
            nanoseconds = 0
        } else if high < 232_830_643 {
            nanoseconds = Int64(1_000_000_000).dividingFullWidth((high, low)).quotient
        } else {
            nanoseconds = .max
        }
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
