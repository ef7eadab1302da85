internal import Logging
internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// When the control socket accepts again after accept(2) has failed.
///
/// Out of descriptors or memory, it tries again every second. A failure of the listening socket
/// itself is retried as well, as an unknown error may be transient, but ever more rarely.
struct AcceptBackoff {
    /// The time between two tries while the daemon is out of descriptors or memory.
    static let resourceDelay = Duration.seconds(1)
    /// The longest time between two tries on a listening socket that is broken.
    static let longestDelay = Duration.seconds(64)

    /// When to try again; `nil` unless accepting is paused.
    private(set) var retryAt: ContinuousClock.Instant?
    /// Why accepting is paused, or was until the last try.
    private(set) var failure: AcceptFailure?
    private var delay = AcceptBackoff.resourceDelay

    /// Notes that accept(2) has failed.
    ///
    /// - Returns: Whether the failure is news, which is to be logged; one that only concerns the
    ///   client never is.
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

    /// Notes that accept(2) has not failed.
    ///
    /// - Returns: Whether it has failed before, so that the recovery is to be logged.
    mutating func succeed() -> Bool {
        defer { self = AcceptBackoff() }
        return failure != nil
    }
}

/// The listening end of the control socket.
///
/// It is watched level-triggered, and not at all while accept(2) fails or after the socket was shut
/// down: it would be ready without end.
struct ControlListener: ~Copyable {
    private let socket: UnixListener
    private let token: Token
    private let logger: Logger
    private var backoff = AcceptBackoff()
    private var isWatched = false
    /// Whether the last event said that the socket itself has ended, as after shutdown(2).
    private var hasEnded = false

    /// Watches the socket with `registry`.
    ///
    /// - Throws: See epoll_ctl(2).
    init(
        _ socket: consuming UnixListener,
        registry: borrowing Registry,
        token: Token,
        logger: Logger
    ) throws(Errno) {
        self.socket = socket
        self.token = token
        self.logger = logger
        try registry.register(self.socket, token: token, interest: .readable, mode: .level)
        isWatched = true
    }

    /// When ``retryIfDue(now:registry:)`` has something to do.
    var deadline: ContinuousClock.Instant? { backoff.retryAt }

    /// Notes what the poll says of the socket.
    mutating func note(_ event: Event) {
        hasEnded = event.isReadClosed || event.isError
    }

    /// Takes the next connection off the backlog, past those that have failed already.
    ///
    /// - Parameters:
    ///   - attempts: How many connections it may still take; those that have failed count.
    ///   - now: The present.
    ///   - registry: The one that watches the socket.
    /// - Returns: `nil` if no connection waits, or if accepting is paused now.
    /// - Throws: An error of `AcceptFailure.resources` for which the caller may make room, and try
    ///   again; if not, it calls ``pause(after:now:registry:)``.
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
                    // An error by then, but accept(2) only says that nobody waits.
                    pause(.listener, "it was shut down", now: now, registry: registry)
                    return nil
                }
                if backoff.succeed() { logger.notice("the control socket accepts again") }
                guard let accepted else { return nil }
                return accepted.stream
            } catch {
                switch AcceptFailure(error) {
                case .connection: continue
                // Room for a client is of no use to a socket that gets none any more.
                case .resources where !hasEnded: throw error
                case .resources, .listener: break
                }
                pause(after: error, now: now, registry: registry)
                return nil
            }
        }
        return nil
    }

    /// Watches the socket again if it is time to.
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

    /// Stops watching the socket after accept(2) has failed, until it is time to try again.
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
            logger.error(.controlSocketFailed, "cannot stop watching the control socket: \(error)")
        }
    }

    private func report(_ failure: AcceptFailure, _ reason: String) {
        switch failure {
        case .resources:
            logger.warning(
                .outOfResources,
                "the control socket cannot accept clients: \(reason); it tries again every second"
            )
        case .connection, .listener:
            logger.error(
                .controlSocketFailed,
                """
                the control socket is broken: \(reason); clients that are connected are still \
                served, signals still work; restart the daemon to replace the socket
                """
            )
        }
    }
}
