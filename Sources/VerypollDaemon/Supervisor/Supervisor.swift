// The main thread of the control plane. It makes all decisions, and talks to operators and to
// systemd. The workers serve the sessions.
//
// A reload shows how the parts work together. A call on the control socket, or SIGHUP, notes a
// request in `reload`. The next turn starts a thread that reads and checks the file
// (VerypollConfiguration) and posts the outcome to the inbox. `Supervisor+Reload` starts another
// thread, which changes a copy of `live` to the new configuration and opens the new sockets
// (`LiveChange`). If that fails, the copy is dropped and nothing has changed. Otherwise the copy
// replaces `live`, and its snapshot is sent to all workers. Once every worker has reported that it
// has adopted the snapshot, the callers are answered.
//
// No turn blocks or sleeps. Long-running work is done on another thread, which posts the result.
internal import Logging
internal import SystemPackage
internal import Systemd
internal import Varlink
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// The daemon's main thread: it handles signals, the control socket and the service manager, and
/// watches the workers.
///
/// The supervisor serves no sessions, so its work does not delay them.
final class Supervisor {
    typealias Tokens = Inbox.Tokens

    let options: LaunchOptions
    let logger: Logger
    let logFormat: LogFormat
    let startedAt = WallClock.microseconds()
    let inbox: Inbox
    private var poll: Poll
    let workers: WorkerPool
    var busyShares: BusyShares
    var lifecycle: Lifecycle
    /// The configuration that is in effect.
    var loaded: LoadedConfiguration
    /// The hash of the configuration that is in effect.
    var configurationHash: String
    var reloadHistory: ReloadHistory
    var refusalLog = RefusalLog()
    /// The listeners and upstreams in effect, and those of earlier configurations that still have
    /// sessions.
    var live: LiveConfiguration
    /// The changes of ``live`` that are in progress.
    var changes = LiveChanges()
    var reload = ReloadState()
    var idle = IdleWatch()
    let control: ControlService
    /// The service of the metrics socket; `nil` if systemd passed none.
    let metricsService: ControlService?
    var handoff: Handoff
    var upstreamMonitor: UpstreamMonitor
    /// The services that name servers, and their last answers.
    var discovery: Discovery
    var events: EventFeed
    /// The reports for the status page.
    var reportCaches: [ReportKind: ReportCache] = [:]
    var manager: ManagerNotifications

    /// Prepares everything, and starts the workers.
    init(
        _ loaded: LoadedConfiguration,
        options: LaunchOptions,
        live: LiveConfiguration,
        discovery: Discovery,
        handoff: Handoff,
        sockets: consuming ControlSockets,
        descriptors: DescriptorReserve,
        signals: consuming SignalSource,
        logFormat: LogFormat,
        logger: Logger
    ) throws {
        let poll = try Poll()
        inbox = try Inbox(signals, registry: poll.registry)
        events = try EventFeed(registry: poll.registry, token: Tokens.sessionEvents)
        control = try Self.controlService(sockets.control, poll.registry, descriptors, logger)
        metricsService = try Self.metricsService(
            sockets.metrics,
            poll.registry,
            descriptors,
            logger,
            besides: control
        )
        upstreamMonitor = try UpstreamMonitor(
            live.snapshot.upstreams,
            registry: try poll.registry.clone(),
            firstToken: Tokens.firstOfUpstreams,
            logger: logger
        )
        workers = try WorkerPool(
            live.snapshot,
            count: live.workers,
            capacity: live.capacity,
            totalLimiter: SessionLimiter(limit: loaded.configuration.limits.maxSessions),
            descriptors: descriptors,
            supervisor: inbox.reports,
            sessionEvents: events.sessions,
            logger: logger
        )
        busyShares = BusyShares(count: workers.count)
        lifecycle = Lifecycle(workers: workers.count)
        manager = try ManagerNotifications(descriptors, logger: logger)
        self.handoff = handoff
        self.discovery = discovery
        self.loaded = loaded
        configurationHash = loaded.configuration.hash
        reloadHistory = ReloadHistory(startedAt: startedAt)
        self.options = options
        self.live = live
        self.logFormat = logFormat
        self.logger = logger
        self.poll = poll
    }

    /// Runs until the daemon has stopped.
    ///
    /// - Throws: An error that says why the daemon cannot continue. The sessions then end with the
    ///   process.
    func run() throws {
        // Room for the events of all clients of the two Varlink sockets, of which the ones with the
        // most credit are served, and of some others.
        var events = Events(capacity: 3 * ControlServer.clientLimit)
        // Before the first health checks, so that no event is missed.
        updateHistory()
        while true {
            try poll.poll(&events, until: deadline)
            for event in events where !isOfClient(event) { try handle(event) }
            handleClients(events)
            handleTime(.now)
            if lifecycle.isOver {
                workers.join()
                handoff.finish()
                logRefusals(.now, isLast: true)
                return logger.notice(.stopped, "stopped")
            }
            if case .stopping(let end) = lifecycle.phase, end <= .now {
                handoff.breakOff()
                throw LaunchError(description: "a worker did not stop in time")
            }
        }
    }

    private func handle(_ event: Event) throws {
        switch event.token {
        case Tokens.signals: try handleSignals()
        case Tokens.mailbox:
            handleMail()
            try handleReports()
        case Tokens.sessionEvents: events.noteSessions()
        default: upstreamMonitor.handle(event)
        }
    }

    private var deadline: ContinuousClock.Instant {
        let deadlines = [
            lifecycle.deadline, upstreamMonitor.deadline, events.sessionsDueAt,
            control.server.deadline, metricsService?.server.deadline, reload.deadline,
            manager.watchdogDueAt, retirementDueAt, changes.stopDueAt, discoveryDueAt,
        ]
        return deadlines.reduce(manager.statusDueAt) { min($0, $1 ?? $0) }
    }

    private func handleSignals() throws {
        while let signal = try inbox.signals.next() {
            switch (signal, lifecycle.phase) {
            case (.hangUp, .starting), (.hangUp, .running): reload.request()
            case (.hangUp, _): break
            case (.user1, _): handoff.announce()
            case (_, _): try take(.stop(signal))
            }
        }
    }

    private func handleTime(_ now: ContinuousClock.Instant) {
        tickClients(now: now)
        upstreamMonitor.tick(now: now)
        for message in upstreamMonitor.takeNews().messages { workers.postOnce(message) }
        control.expireCalls(now: now)
        while let signal = changes.takeLateStop(now: now) { stop(for: signal) }
        reloadIfDue(now)
        tickDiscovery(now)
        endRetirement(now)
        announce(now: now)
        if manager.needsAnswers(now, workers: workers.count) { workers.post(.ping) }
        if manager.isStatusDue(now) { updateStatus(now) }
        if case .draining(let end) = lifecycle.phase, end <= now {
            stop(because: "the drain deadline has passed")
        }
    }

    private func updateStatus(_ now: ContinuousClock.Instant) {
        busyShares.update(workers.counters.map(\.tally.busy), now: now)
        manager.update(summary)
        logRefusals(now)
        tickPage(now: now)
        leaveIfIdle(now)
        guard case .draining = lifecycle.phase else { return }
        // Keep systemd's stop timeout from expiring for as long as the drain may last.
        manager.extendTimeout(by: .seconds(10))
        if handoff.handsOff, !awaitsRoom { stop(because: "the remaining sessions fit the store") }
    }
}
