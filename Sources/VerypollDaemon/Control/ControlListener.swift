internal import Logging
internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// Determines when the control socket accepts again after accept(2) has failed.
///
/// If the process is out of descriptors or memory, the next attempt follows after a second. If the
/// listening socket itself fails, the error may still be transient, so attempts continue at growing
/// intervals.
struct AcceptBackoff {
    /// The time between two attempts while the daemon is out of descriptors or memory.
    static let resourceDelay = Duration.seconds(1)
    /// The longest time between two attempts while the listening socket is broken.
    static let longestDelay = Duration.seconds(64)

    /// The time of the next attempt; `nil` unless accepting is paused.
    private(set) var retryAt: ContinuousClock.Instant?
    /// The reason why accepting is paused, or was paused until the last attempt.
    private(set) var failure: AcceptFailure?
    private var delay = AcceptBackoff.resourceDelay

    /// Notes that accept(2) has failed.
    ///
    /// - Returns: Whether to log the failure, because it is a new one. A failure that concerns only
    ///   the client is never logged.
    mutating func fail(_ failure: AcceptFailure, now: ContinuousClock.Instant) -> Bool {
        let isNews = failure != self.failure
        switch failure {
        case .connection: return false
        case .resources: delay = Self.resourceDelay
        case .listener: delay = isNews ? Self.resourceDelay : min(delay * 2, Self.longestDelay)
        }
        self.failure = failure
        retryAt = now + delay
        return isNews
    }

    /// Notes that the socket is watched again; the next accept(2) shows whether it works.
    mutating func retry() { retryAt = nil }

    /// Notes that accept(2) has returned a connection, or has found none.
    ///
    /// - Returns: Whether to log the recovery, because accept(2) had failed before.
    mutating func succeed() -> Bool {
        defer { self = AcceptBackoff() }
        return failure != nil
    }
}

/// The listening socket of a control server.
///
/// The socket is watched level-triggered. It is not watched while accept(2) fails or after the
/// socket was shut down, because it would be ready all the time.
struct ControlListener: ~Copyable {
    private let socket: UnixListener
    private let token: Token
    /// The name of the socket in log messages.
    private let name: String
    private let logger: Logger
    private var backoff = AcceptBackoff()
    private var isWatched = false
    /// Whether the last event reported that the socket itself has ended, as after shutdown(2).
    private var hasEnded = false

    /// Watches the socket with `registry`.
    ///
    /// - Throws: See epoll_ctl(2).
    init(
        _ socket: consuming UnixListener,
        registry: borrowing Registry,
        token: Token,
        name: String,
        logger: Logger
    ) throws(Errno) {
        self.socket = socket
        self.token = token
        self.name = name
        self.logger = logger
        try registry.register(self.socket, token: token, interest: .readable, mode: .level)
        isWatched = true
    }

    /// The time at which ``retryIfDue(now:registry:)`` must be called; `nil` unless accepting is
    /// paused.
    var deadline: ContinuousClock.Instant? { backoff.retryAt }

    /// Notes an event of the socket.
    mutating func note(_ event: Event) {
        hasEnded = event.isReadClosed || event.isError
    }

    /// Accepts the next connection, and skips connections that have already failed.
    ///
    /// - Parameters:
    ///   - attempts: The number of connections that may still be taken, including failed ones.
    ///   - now: The current time.
    ///   - registry: The registry that watches the socket.
    /// - Returns: `nil` if no connection is waiting, or if accepting is now paused.
    /// - Throws: An error of `AcceptFailure.resources`. The caller either frees a descriptor and
    ///   tries again, or calls ``pause(after:now:registry:)``.
    mutating func accept(
        attempts: inout Int,
        now: ContinuousClock.Instant,
        registry: borrowing Registry
    ) throws(Errno) -> UnixStream? {
        while attempts > 0 {
            attempts -= 1
            do throws(Errno) {
                let accepted = try socket.accept()
                if accepted == nil, hasEnded {
                    // The socket was shut down, but accept(2) only reports that no connection is
                    // waiting.
                    pause(.listener, "it was shut down", now: now, registry: registry)
                    return nil
                }
                if backoff.succeed() { logger.notice("the \(name) accepts again") }
                guard let accepted else { return nil }
                return accepted.stream
            } catch {
                switch AcceptFailure(error) {
                case .connection: continue
                // A free descriptor does not help a socket that gets no more clients.
                case .resources where !hasEnded: throw error
                case .resources, .listener: break
                }
                pause(after: error, now: now, registry: registry)
                return nil
            }
        }
        return nil
    }

    /// Watches the socket, unless accepting is paused after a failure, or stops watching it.
    mutating func watch(
        _ isWanted: Bool,
        now: ContinuousClock.Instant,
        registry: borrowing Registry
    ) {
        guard isWanted != isWatched, !isWanted || backoff.retryAt == nil else { return }
        do throws(Errno) {
            if isWanted {
                try registry.register(socket, token: token, interest: .readable, mode: .level)
            } else {
                try registry.deregister(socket)
            }
            isWatched = isWanted
        } catch {
            pause(after: error, now: now, registry: registry)
        }
    }

    /// Watches the socket again once the next attempt is due.
    mutating func retryIfDue(now: ContinuousClock.Instant, registry: borrowing Registry) {
        guard let due = backoff.retryAt, due <= now else { return }
        do throws(Errno) {
            if !isWatched {
                try registry.register(socket, token: token, interest: .readable, mode: .level)
                isWatched = true
            }
            backoff.retry()
        } catch {
            pause(after: error, now: now, registry: registry)
        }
    }

    /// Stops watching the socket until the next attempt, because accept(2) has failed.
    mutating func pause(
        after error: Errno,
        now: ContinuousClock.Instant,
        registry: borrowing Registry
    ) {
        pause(AcceptFailure(error), "\(error)", now: now, registry: registry)
    }

    private mutating func pause(
        _ failure: AcceptFailure,
        _ reason: String,
        now: ContinuousClock.Instant,
        registry: borrowing Registry
    ) {
        let failure = failure == .connection || hasEnded ? .listener : failure
        if backoff.fail(failure, now: now) { report(failure, reason) }
        guard isWatched else { return }
        do throws(Errno) {
            try registry.deregister(socket)
            isWatched = false
        } catch {
            logger.error(.controlSocketFailed, "cannot stop watching the \(name): \(error)")
        }
    }

    private func report(_ failure: AcceptFailure, _ reason: String) {
        switch failure {
        case .resources:
            logger.warning(
                .outOfResources,
                "the \(name) cannot accept clients: \(reason); it tries again every second"
            )
        case .connection, .listener:
            logger.error(
                .controlSocketFailed,
                """
                the \(name) is broken: \(reason); clients that are connected are still \
                served, signals still work; restart the daemon to replace the socket
                """
            )
        }
    }
}
