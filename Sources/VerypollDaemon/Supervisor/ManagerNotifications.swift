internal import Logging
internal import SystemPackage
internal import Systemd
internal import VerypollServer

/// Notifies the service manager of the daemon's state; see sd_notify(3).
///
/// If a notification fails, the failure is logged and the daemon continues.
struct ManagerNotifications {
    private let notifier = ServiceNotifier()
    private let descriptors: DescriptorReserve
    private let logger: Logger
    /// The interval at which the status is updated.
    private static let statusInterval = Duration.seconds(1)

    /// The status that the manager shows.
    private var status = ""
    /// The time of the next update of the status.
    private(set) var statusDueAt: ContinuousClock.Instant
    private var watchdog: Watchdog?

    /// Creates the notifications of the service.
    ///
    /// - Parameters:
    ///   - descriptors: A reserve of descriptors for the notification's socket, used when the
    ///     process has no others left.
    ///   - logger: The logger for failures.
    ///   - now: The current time.
    /// - Throws: `Errno` if the manager's setting of the watchdog is not valid.
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

    /// Returns whether the status must be updated now, and schedules the next update.
    mutating func isStatusDue(_ now: ContinuousClock.Instant) -> Bool {
        guard statusDueAt <= now else { return false }
        statusDueAt = now + Self.statusInterval
        return true
    }

    /// Notifies that the service is ready, also after a reload.
    mutating func ready(_ status: String) {
        self.status = status
        tell { () throws(Errno) in try notifier.ready(status: status) }
    }

    /// Notifies that a reload is in progress.
    func reloading(_ status: String) {
        tell { () throws(Errno) in try notifier.reloading(status: status) }
    }

    /// Notifies that the service is stopping.
    mutating func stopping(_ status: String) {
        self.status = status
        tell { () throws(Errno) in try notifier.stopping(status: status) }
    }

    /// Sends the status if it has changed.
    mutating func update(_ status: String) {
        guard status != self.status else { return }
        self.status = status
        tell { () throws(Errno) in try notifier.status(status) }
    }

    /// Requests more time for the start or the stop in progress.
    func extendTimeout(by time: Duration) {
        tell { () throws(Errno) in try notifier.extendTimeout(by: time) }
    }

    // MARK: The watchdog

    /// The time at which ``needsAnswers(_:workers:)`` must be called; `nil` without a watchdog.
    var watchdogDueAt: ContinuousClock.Instant? { watchdog?.dueAt }

    /// Returns whether all workers must be pinged now.
    mutating func needsAnswers(_ now: ContinuousClock.Instant, workers: Int) -> Bool {
        watchdog?.isDue(now, workers: workers) == true
    }

    /// Notes a worker's answer to a ping; the last answer notifies the manager's watchdog.
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
