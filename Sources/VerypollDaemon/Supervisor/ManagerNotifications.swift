internal import Logging
internal import SystemPackage
internal import Systemd
internal import VerypollServer

/// Tells the service manager how the daemon is doing; see sd_notify(3).
///
/// If the manager cannot be told, the log says so, and the service goes on.
struct ManagerNotifications {
    private let notifier = ServiceNotifier()
    private let descriptors: DescriptorReserve
    private let logger: Logger
    /// How often the status is brought up to date.
    private static let statusInterval = Duration.seconds(1)

    /// The status that the manager shows.
    private var status = ""
    /// When it is brought up to date next.
    private(set) var statusDueAt: ContinuousClock.Instant
    private var watchdog: Watchdog?

    /// Makes the notifications of a service.
    ///
    /// - Parameters:
    ///   - descriptors: Descriptors for the socket while the process has no others.
    ///   - logger: Hears of failures.
    ///   - now: The present.
    /// - Throws: What is wrong with the manager's settings for the watchdog.
    init(
        _ descriptors: DescriptorReserve,
        logger: Logger,
        now: ContinuousClock.Instant = .now
    ) throws(Errno) {
        watchdog = try notifier.watchdogInterval().map { Watchdog(interval: $0, now: now) }
        self.descriptors = descriptors
        self.logger = logger
        statusDueAt = now
    }

    /// Whether it is time to bring the status up to date; if so, it is not for a while after.
    mutating func isStatusDue(_ now: ContinuousClock.Instant) -> Bool {
        guard statusDueAt <= now else { return false }
        statusDueAt = now + Self.statusInterval
        return true
    }

    /// Tells that the service is ready, also after a reload.
    mutating func ready(_ status: String) {
        self.status = status
        tell { () throws(Errno) in try notifier.ready(status: status) }
    }

    /// Tells that a reload is under way.
    func reloading(_ status: String) {
        tell { () throws(Errno) in try notifier.reloading(status: status) }
    }

    /// Tells that the service is stopping.
    mutating func stopping(_ status: String) {
        self.status = status
        tell { () throws(Errno) in try notifier.stopping(status: status) }
    }

    /// Tells the status if it has changed.
    mutating func update(_ status: String) {
        guard status != self.status else { return }
        self.status = status
        tell { () throws(Errno) in try notifier.status(status) }
    }

    /// Asks for more time for the start or the stop under way.
    func extendTimeout(by time: Duration) {
        tell { () throws(Errno) in try notifier.extendTimeout(by: time) }
    }

    // MARK: The watchdog

    /// When ``needsAnswers(_:workers:)`` is due; `nil` without a watchdog.
    var watchdogDueAt: ContinuousClock.Instant? { watchdog?.dueAt }

    /// Whether all workers are to be asked for a sign of life now.
    mutating func needsAnswers(_ now: ContinuousClock.Instant, workers: Int) -> Bool {
        watchdog?.isDue(now, workers: workers) == true
    }

    /// Notes a worker's sign of life; after the last one, the manager's watchdog is told.
    mutating func noteAnswer(of worker: Int) {
        guard watchdog?.answer(of: worker) == true else { return }
        tell { () throws(Errno) in try notifier.watchdog() }
    }

    private func tell(_ notify: () throws(Errno) -> Void) {
        do throws(Errno) {
            try descriptors.attempt(notify)
        } catch {
            logger.error(.managerUnreachable, "cannot notify systemd: \(error)")
        }
    }
}
