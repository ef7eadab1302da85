public import SystemPackage

/// Waits for readiness of the sources in its ``registry``.
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
    /// Where sources are added and removed, between polls.
    ///
    /// During a poll, and from other threads, a ``Registry/clone()`` of it does the same.
    public let registry: Registry

    /// Makes a poll with nothing registered, close-on-exec; see epoll_create1(2).
    public init() throws(Errno) {
        registry = Registry(selector: try Selector())
    }

    /// The selector's own descriptor, readable while events are pending, to nest it in another
    /// event loop.
    ///
    /// With the trait `PollSelector` there is none, and asking for it traps.
    public var fileDescriptor: FileDescriptor { registry.selector.fileDescriptor }

    /// How it spins on the queues of network devices before it sleeps; at first not at all.
    ///
    /// - Throws: `Errno.notSupported` before Linux 6.9, or where the kernel was built without it,
    ///   or with the trait `PollSelector`.
    public func busyPolling() throws(Errno) -> BusyPolling {
        try registry.selector.busyPolling()
    }

    /// Makes it spin on the queues of network devices before it sleeps.
    ///
    /// - Parameter parameters: For how long and how hard.
    /// - Throws: As ``busyPolling()``, and `Errno.notPermitted` for a budget over 64 without
    ///   `CAP_NET_ADMIN`. See ioctl_eventpoll(2).
    public func setBusyPolling(_ parameters: BusyPolling) throws(Errno) {
        try registry.selector.setBusyPolling(parameters)
    }

    /// Waits until a source is ready, and puts what became ready in `events`.
    ///
    /// A source that was registered in the mode ``RegistrationMode/edge``, the default, may never
    /// be reported again before it has been drained, that is, before a call on it has returned
    /// `nil`.
    ///
    /// - Parameters:
    ///   - events: Emptied first. At most its capacity arrives; the rest comes with the next call.
    ///   - timeout: The longest wait, to the nanosecond where the kernel can (Linux 5.11), else
    ///     rounded up to milliseconds; `nil` waits for ever, `.zero` or less returns at once.
    ///     `events` is empty if it runs out.
    ///   - interruptible: Whether a signal handler that ran ends the wait. If not, the wait goes on
    ///     for the time that is left.
    /// - Throws: `Errno.interrupted` if `interruptible`. See epoll_wait(2).
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
        // A clock cannot reach further than its 64 bits; such a wait is as good as endless.
        let longest = Duration.seconds(1 << 32)
        let deadline = ContinuousClock.now + min(timeout, longest)
        do throws(Errno) {
            try wait(&events, timeout: timeout, interruptible: true)
        } catch .interrupted {
            try poll(&events, until: deadline)
        }
    }

    /// Waits as ``poll(_:timeout:interruptible:)`` does, until an instant at the latest.
    ///
    /// - Parameters:
    ///   - events: Emptied first; empty if the instant came before an event.
    ///   - deadline: When to give up; one that has passed only looks what is pending.
    ///   - interruptible: Whether a signal handler that ran ends the wait.
    /// - Throws: `Errno.interrupted` if `interruptible`. See epoll_wait(2).
    public mutating func poll(
        _ events: inout Events,
        until deadline: ContinuousClock.Instant,
        interruptible: Bool = false
    ) throws(Errno) {
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
                continue  // Only reached for waits that are endless or take no time.
            }
        }
    }
}
