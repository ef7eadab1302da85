#if OSExt
public import SystemPackage

/// A source for a timer, readable once the timer has expired; see timerfd_create(2).
///
/// For a single deadline, call ``Poll/poll(_:until:interruptible:)`` instead, which needs no extra
/// system call. Use a timer if other code owns the poll, or for intervals that must not drift.
///
/// ```swift
/// var poll = try Poll()
/// var events = Events(capacity: 8)
/// let timer = try TimerSource()
/// try poll.registry.register(timer, token: Token(0), interest: .readable)
/// try timer.start(after: .milliseconds(10), every: .milliseconds(10))
/// try poll.poll(&events)
/// if let count = try timer.expirations() { print("expired \(count) times") }
/// ```
public struct TimerSource: ~Copyable, Sendable, DescriptorSource {
    private let timer: TimerDescriptor

    /// The timerfd's descriptor.
    public var fileDescriptor: FileDescriptor { timer.fileDescriptor }

    /// Creates a stopped timer.
    ///
    /// - Parameter countsSuspension: Whether the timer keeps running while the machine is
    ///   suspended, like `ContinuousClock`. If not, it pauses, like the timeout of a poll.
    /// - Throws: `Errno.tooManyOpenFiles` if the process is out of descriptors. See
    ///   timerfd_create(2).
    public init(countsSuspension: Bool = false) throws(Errno) {
        timer = try TimerDescriptor(countsSuspension: countsSuspension)
    }

    /// Starts or restarts the timer.
    ///
    /// - Parameters:
    ///   - delay: The time until the timer first expires, with nanosecond precision and never
    ///     early. With zero or less, it expires at once.
    ///   - interval: The time between further expirations, without drift; `nil` for none. Traps if
    ///     zero or less.
    /// - Throws: See timerfd_settime(2).
    public func start(after delay: Duration, every interval: Duration? = nil) throws(Errno) {
        precondition(
            interval.map { $0 > .zero } ?? true,
            "the interval of a timer must be positive"
        )
        // To timerfd_settime(2), a first time of zero means stop, and an interval of zero means no
        // repeats. An interval may be shorter than a nanosecond.
        let least = Duration.nanoseconds(1)
        try timer.set(first: max(delay, least), interval: interval.map { max($0, least) } ?? .zero)
    }

    /// Stops the timer and discards pending expirations.
    public func cancel() throws(Errno) {
        try timer.set(first: .zero, interval: .zero)
    }

    /// Returns the time until the next expiration, or `nil` if the timer is stopped.
    public func remaining() throws(Errno) -> Duration? {
        let nanoseconds = try timer.remaining()
        return nanoseconds == 0 ? nil : .nanoseconds(nanoseconds)
    }

    /// Reads how often the timer has expired since the last call.
    ///
    /// - Returns: 1 or more, or `nil` if the timer has not expired. `nil` means that the source is
    ///   drained.
    /// - Throws: See read(2).
    public func expirations() throws(Errno) -> Int? {
        try timer.expirations().map(Int.init(clamping:))
    }
}
#endif
