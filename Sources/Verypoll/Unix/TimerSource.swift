#if OSExt
public import SystemPackage

/// A timer as a source: readable once its time has come; see timerfd_create(2).
///
/// For one deadline, pass it to ``Poll/poll(_:until:interruptible:)`` instead: that costs no
/// system call. A timer serves where a poll belongs to somebody else, or time must not drift.
///
/// ```swift
/// var poll = try Poll()
/// var events = Events(capacity: 8)
/// let timer = try TimerSource()
/// try poll.registry.register(timer, token: Token(0), interest: .readable)
/// try timer.start(after: .milliseconds(10), every: .milliseconds(10))
/// try poll.poll(&events)
/// if let count = try timer.expirations() { print("ran out \(count) times") }
/// ```
public struct TimerSource: ~Copyable, Sendable, DescriptorSource {
    private let timer: TimerDescriptor

    /// The timerfd's descriptor.
    public var fileDescriptor: FileDescriptor { timer.fileDescriptor }

    /// Makes a timer that does not run yet.
    ///
    /// - Parameter countsSuspension: Whether the time counts during which the machine sleeps, as
    ///   with `ContinuousClock`; if not, it stands still, as the timeout of a poll does.
    /// - Throws: `Errno.tooManyOpenFiles` if out of descriptors. See timerfd_create(2).
    public init(countsSuspension: Bool = false) throws(Errno) {
        timer = try TimerDescriptor(countsSuspension: countsSuspension)
    }

    /// Starts the timer, or starts it anew.
    ///
    /// - Parameters:
    ///   - delay: When it first runs out, to the nanosecond and never early; at once for zero or
    ///     less.
    ///   - interval: When it runs out again and again, without drift; `nil` for never.
    /// - Throws: See timerfd_settime(2).
    public func start(after delay: Duration, every interval: Duration? = nil) throws(Errno) {
        // A first time of zero would stop it, and so would an interval end it.
        let least = Duration.nanoseconds(1)
        try timer.set(first: max(delay, least), interval: interval.map { max($0, least) } ?? .zero)
    }

    /// Stops the timer, and forgets that it ran out.
    public func cancel() throws(Errno) {
        try timer.set(first: .zero, interval: .zero)
    }

    /// The time until it runs out next, or `nil` if it does not run.
    public func remaining() throws(Errno) -> Duration? {
        let nanoseconds = try timer.remaining()
        return nanoseconds == 0 ? nil : .nanoseconds(nanoseconds)
    }

    /// How often the timer has run out since this was last asked.
    ///
    /// - Returns: 1 or more, or `nil` if it has not; then it is drained.
    /// - Throws: See read(2).
    public func expirations() throws(Errno) -> Int? {
        try timer.expirations().map(Int.init(clamping:))
    }
}
#endif
