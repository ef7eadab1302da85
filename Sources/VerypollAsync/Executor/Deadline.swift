internal import Glibc

/// A time at which a wait ends, on the continuous clock, with a precision of nanoseconds.
///
/// ```swift
/// func readByte(from stream: borrowing AsyncTCPStream) async throws(Errno) -> UInt8? {
///     var byte: [UInt8] = [0]
///     let deadline = Deadline.now + .seconds(5)
///     return try await stream.read(into: byte.mutableSpan, until: deadline) == 0 ? nil : byte[0]
/// }
/// ```
///
/// It stands for an instant of `ContinuousClock`, but has a fixed size of eight bytes, so that an
/// operation passes it in a register. An instant has a size that compilers do not know; an async
/// function allocates memory for each one.
public struct Deadline: Comparable, Hashable, Sendable {
    /// The time since the machine was started.
    private let nanoseconds: Int64

    private init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A time that never comes.
    public static var never: Deadline { Deadline(nanoseconds: .max) }

    /// The current time.
    public static var now: Deadline {
        // The clock of `ContinuousClock` on Linux.
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Deadline(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// Converts an instant, rounded up to nanoseconds.
    ///
    /// Instants before the start of the machine have passed; those after 290 years never come.
    public init(_ instant: ContinuousClock.Instant) {
        let sinceStart = ContinuousClock().systemEpoch.duration(to: instant)
        self = Deadline(nanoseconds: 0) + max(sinceStart, .zero)
    }

    /// The deadline as an instant.
    public var instant: ContinuousClock.Instant {
        ContinuousClock().systemEpoch + .nanoseconds(nanoseconds)
    }

    /// Returns the deadline that is later by a duration, rounded up to nanoseconds.
    ///
    /// A time that never comes remains one, and so does one that is too late to be stored.
    @inlinable
    public static func + (deadline: Deadline, duration: Duration) -> Deadline {
        deadline.advanced(by: duration)
    }

    /// Returns the deadline that is earlier by a duration.
    @inlinable
    public static func - (deadline: Deadline, duration: Duration) -> Deadline {
        deadline.advanced(by: .zero - duration)
    }

    /// Returns the time from one deadline to another.
    public static func - (later: Deadline, earlier: Deadline) -> Duration {
        .nanoseconds(later.nanoseconds) - .nanoseconds(earlier.nanoseconds)
    }

    @usableFromInline
    func advanced(by duration: Duration) -> Deadline {
        guard self < .never else { return self }
        let (seconds, attoseconds) = duration.components
        let (whole, isTooFar) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        // Rounds up, which for negative parts is the division's own rounding.
        let part = (attoseconds + (attoseconds > 0 ? 999_999_999 : 0)) / 1_000_000_000
        let (difference, isTooFarToo) = whole.addingReportingOverflow(part)
        let (sum, overflows) = nanoseconds.addingReportingOverflow(difference)
        guard isTooFar || isTooFarToo || overflows else { return Deadline(nanoseconds: sum) }
        return seconds < 0 ? Deadline(nanoseconds: 0) : .never
    }

    @inline(__always)
    public static func < (first: Deadline, second: Deadline) -> Bool {
        first.nanoseconds < second.nanoseconds
    }
}
