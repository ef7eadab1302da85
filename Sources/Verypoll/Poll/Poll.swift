public import SystemPackage

/// Waits until sources in its ``registry`` are ready.
///
/// ```swift
/// var poll = try Poll()
/// var events = Events(capacity: 256)
/// let socket = try UDPSocket(binding: .loopback(port: 0))
/// try poll.registry.register(socket, token: Token(0), interest: .readable)
/// while true {
///     try poll.poll(&events)
///     for event in events { print(event.token, event.isReadable) }
/// }
/// ```
public struct Poll: ~Copyable, Sendable {
    /// The registry that adds and removes sources between polls.
    ///
    /// To add or remove sources during a poll or from another thread, use a ``Registry/clone()``.
    public let registry: Registry

    /// Creates a poll without sources, close-on-exec; see epoll_create1(2).
    public init() throws(Errno) {
        registry = Registry(selector: try Selector())
    }

    /// The selector's own descriptor, for nesting the poll in another event loop.
    ///
    /// It is readable while events are pending.
    ///
    /// Traps with the trait `PollSelector`, whose polls have no descriptor.
    public var fileDescriptor: FileDescriptor { registry.selector.fileDescriptor }

    /// Returns how the poll spins on the queues of network devices before it sleeps.
    ///
    /// The default is not to spin.
    ///
    /// - Throws: `Errno.notSupported` before Linux 6.9, if the kernel was built without busy
    ///   polling, or with the trait `PollSelector`.
    public func busyPolling() throws(Errno) -> BusyPolling {
        try registry.selector.busyPolling()
    }

    /// Sets how the poll spins on the queues of network devices before it sleeps.
    ///
    /// - Parameter parameters: The duration, the packet budget and the interrupt preference.
    /// - Throws: Same as ``busyPolling()``, and `Errno.notPermitted` for a budget over 64 without
    ///   `CAP_NET_ADMIN`. See ioctl_eventpoll(2).
    public func setBusyPolling(_ parameters: BusyPolling) throws(Errno) {
        try registry.selector.setBusyPolling(parameters)
    }

    /// Waits until a source is ready, and stores the events in `events`.
    ///
    /// A source registered in the mode ``RegistrationMode/edge``, the default, may not be reported
    /// again until it is drained, that is, until a call on it returns `nil`.
    ///
    /// The call blocks its thread, so the compiler warns of it in asynchronous code; see
    /// <doc:WakingAndThreads>.
    ///
    /// - Parameters:
    ///   - events: The storage for the events, emptied first. Events beyond its capacity are
    ///     returned by the next call.
    ///   - timeout: The longest wait, with nanosecond precision since Linux 5.11, otherwise rounded
    ///     up to milliseconds. `nil` waits forever; `.zero` or less returns at once. After a
    ///     timeout, `events` is empty.
    ///   - interruptible: Whether a signal handler ends the wait. If not, the poll waits for the
    ///     remaining time.
    /// - Throws: `Errno.interrupted` if `interruptible`. See epoll_wait(2).
    @available(
        *,
        noasync,
        message: "it blocks its thread; use PollExecutor of VerypollAsync, or a separate thread"
    )
    public mutating func poll(
        _ events: inout Events,
        timeout: Duration? = nil,
        interruptible: Bool = false
    ) throws(Errno) {
        guard let timeout, timeout > .zero, !interruptible else {
            return try wait(&events, timeout: timeout, interruptible: interruptible)
        }
        try poll(&events, for: timeout)
    }

    private mutating func poll(_ events: inout Events, for timeout: Duration) throws(Errno) {
        // A longer timeout could overflow the clock's 64 bits. This cap is 136 years.
        let longest = Duration.seconds(1 << 32)
        let deadline = ContinuousClock.now + min(timeout, longest)
        do throws(Errno) {
            try wait(&events, timeout: timeout, interruptible: true)
        } catch .interrupted {
            try poll(&events, until: deadline)
        }
    }

    /// Waits like ``poll(_:timeout:interruptible:)``, but until a deadline.
    ///
    /// - Parameters:
    ///   - events: The storage for the events, emptied first. Empty if the deadline passes first.
    ///   - deadline: When to stop waiting. If it has passed, the poll returns pending events at
    ///     once. `nil` waits forever.
    ///   - interruptible: Whether a signal handler ends the wait.
    /// - Throws: `Errno.interrupted` if `interruptible`. See epoll_wait(2).
    @available(
        *,
        noasync,
        message: "it blocks its thread; use PollExecutor of VerypollAsync, or a separate thread"
    )
    public mutating func poll(
        _ events: inout Events,
        until deadline: ContinuousClock.Instant?,
        interruptible: Bool = false
    ) throws(Errno) {
        guard let deadline else {
            return try wait(&events, timeout: nil, interruptible: interruptible)
        }
        while true {
            do throws(Errno) {
                let left = deadline - ContinuousClock.now
                return try wait(&events, timeout: left, interruptible: true)
            } catch .interrupted where !interruptible {
                continue
            }
        }
    }

    @inline(__always)
    private func wait(
        _ events: inout Events,
        timeout: Duration?,
        interruptible: Bool
    ) throws(Errno) {
        while true {
            do throws(Errno) {
                return try registry.selector.wait(into: &events.buffer, timeout: timeout)
            } catch .interrupted where !interruptible {
                continue  // Reached only for waits that are endless or do not block.
            }
        }
    }
}
