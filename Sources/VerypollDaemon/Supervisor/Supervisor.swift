internal import Glibc
internal import Logging
internal import SystemPackage
internal import Systemd
internal import Varlink
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// The daemon's main thread: signals, control socket, service manager, and the workers' watch.
///
/// It serves no session, so whatever it does holds nobody up.
final class Supervisor {
    /// How far the daemon's life has come.
    enum Phase {
        case starting
        case running
        /// Sessions may end by themselves until then.
        case draining(until: ContinuousClock.Instant)
        /// All are being closed, which takes no longer than until then.
        case stopping(until: ContinuousClock.Instant)
    }

    private enum Tokens {
        static let signals = Token(0)
        static let mailbox = Token(1)
        static let control = Token(2)
        static let sessionEvents = Token(999)
        static let firstOfUpstreams = 1000
    }

    /// How often the status is brought up to date.
    private static let statusInterval = Duration.seconds(1)

    /// How long the workers may take to close everything.
    static let stopLimit = Duration.seconds(5)

    /// How long they may take to pack everything for the next process.
    static let packingLimit = Duration.seconds(20)

    /// The configuration that is in effect.
    var loaded: LoadedConfiguration
    let options: LaunchOptions
    /// What is served, by whom, and what earlier configurations have left.
    var live: LiveConfiguration
    /// The snapshots that are on their way to the workers.
    var rollouts: [Rollout] = []
    var reload = ReloadState()
    var idleWatch = IdleWatch()
    /// Whether nothing is accepted any more, because nobody came.
    var isIdleAndClosed = false
    let totalLimiter: SessionLimiter
    /// Descriptors to lend while sessions have all others.
    let descriptors: DescriptorReserve
    let startedAt = WallClock.microseconds()
    let workers: WorkerPool
    let logger: Logger
    var phase = Phase.starting
    var pendingCalls = PendingCalls()
    var busyShares: BusyShares
    /// The workers that wait for metrics, by the format that they want.
    var metricsAskers: [MetricsFormat: [Int]] = [:]
    /// What came from the process before, and goes to the next one.
    var restart: RestartState
    var control: ControlServer
    /// Does what takes long for clients of the control socket.
    let controlThread: JobThread
    let sessionEvents: SessionEvents
    /// When those who monitor hear of sessions next, if there are any to hear of.
    var sessionsAreDueAt: ContinuousClock.Instant?
    var monitoring = Monitoring()
    var upstreamMonitor: UpstreamMonitor
    let notifier = ServiceNotifier()
    private let signals: SignalSource
    private let socketFile: SocketFile?
    let mailbox: Mailbox<SupervisorMessage>
    let reports: Mailbox<WorkerReport>
    private var poll: Poll
    var watchdog: Watchdog?
    var statusLine = ""
    private var nextStatusAt = ContinuousClock.now
    /// The workers that have done what the phase waits for.
    var workersDone = 0

    /// Makes everything ready and starts the workers.
    init(
        _ loaded: LoadedConfiguration,
        options: LaunchOptions,
        live: LiveConfiguration,
        restoredSessions: RestoredSessions,
        exchange: SocketExchange,
        control: consuming ControlSocket,
        descriptors: DescriptorReserve,
        signals: consuming SignalSource,
        logger: Logger
    ) throws {
        let poll = try Poll()
        try poll.registry.register(signals, token: Tokens.signals, interest: .readable)
        mailbox = try Mailbox(registry: poll.registry, token: Tokens.mailbox)
        reports = Mailbox(besides: mailbox)
        sessionEvents = try SessionEvents(registry: poll.registry, token: Tokens.sessionEvents)
        self.control = try ControlServer(
            listener: control.listener,
            registry: try poll.registry.clone(),
            token: Tokens.control,
            service: try Self.service(),
            authorization: Authorization(daemonUser: geteuid(), group: control.group),
            descriptors: descriptors,
            logger: logger
        )
        controlThread = try JobThread(name: "control")
        upstreamMonitor = try UpstreamMonitor(
            live.snapshot.upstreams,
            registry: try poll.registry.clone(),
            firstToken: Tokens.firstOfUpstreams,
            logger: logger
        )
        restart = RestartState(
            live.handoffStore,
            restoredSessions,
            exchange,
            keepsSessions: loaded.configuration.restart.keepSessions
        )
        totalLimiter = SessionLimiter(limit: loaded.configuration.limits.maxSessions)
        workers = try WorkerPool(
            live.snapshot,
            count: live.workers,
            capacity: live.capacity,
            totalLimiter: totalLimiter,
            descriptors: descriptors,
            supervisor: reports,
            sessionEvents: sessionEvents,
            logger: logger
        )
        busyShares = BusyShares(count: workers.count)
        watchdog = try notifier.watchdogInterval().map { Watchdog(interval: $0, now: .now) }
        self.descriptors = descriptors
        self.loaded = loaded
        self.options = options
        self.live = live
        self.logger = logger
        socketFile = control.file
        self.signals = signals
        self.poll = poll
    }

    /// Works until the daemon has stopped.
    ///
    /// - Throws: Why it cannot go on; then the sessions end with the process.
    func run() throws {
        // One, so that a turn is short; the kernel gives each source its turn.
        var events = Events(capacity: 1)
        while true {
            try handle(&events)
            try handleTime(.now)
            if case .stopping(let end) = phase {
                if workersDone == workers.count {
                    workers.join()
                    leaveToSuccessor()
                    return logger.notice(.stopped, "stopped")
                }
                if end <= .now {
                    breakOffHandoff()
                    throw LaunchError(description: "a worker did not end in time")
                }
            }
        }
    }

    private func handle(_ events: inout Events) throws {
        try poll.poll(&events, until: deadline)
        for event in events {
            switch event.token {
            case Tokens.signals: try handleSignals()
            case Tokens.mailbox:
                try handleMail()
                try handleReports()
            case Tokens.sessionEvents: sessionsAreDueAt = .now + Self.sessionDelay
            case Tokens.control: try control.handle(handler: self)
            default: upstreamMonitor.handle(event)
            }
        }
    }

    private var deadline: ContinuousClock.Instant {
        var deadline = nextStatusAt
        switch phase {
        case .starting, .running: break
        case .draining(let end), .stopping(let end): deadline = min(deadline, end)
        }
        if let due = upstreamMonitor.deadline { deadline = min(deadline, due) }
        if let due = sessionsAreDueAt { deadline = min(deadline, due) }
        if let due = control.deadline { deadline = min(deadline, due) }
        if let due = reload.deadline { deadline = min(deadline, due) }
        if let due = watchdog?.dueAt { deadline = min(deadline, due) }
        if let due = retirementDueAt { deadline = min(deadline, due) }
        return deadline
    }

    // MARK: Signals and mail

    private func handleSignals() throws {
        while let signal = try signals.next() {
            switch (signal, phase) {
            case (.hangUp, .starting), (.hangUp, .running): reload.request()
            case (.hangUp, _): break
            case (.user1, _): restart.announce()
            case (_, .draining):
                stop(because: "a second signal")
            case (_, .starting), (_, .running):
                drain(because: signal)
            case (_, .stopping): break
            }
        }
    }

    private func handleTime(_ now: ContinuousClock.Instant) throws {
        try control.tick(now: now, handler: self)
        upstreamMonitor.tick(now: now)
        for message in upstreamMonitor.takeNews() { workers.postOnce(message) }
        for callID in pendingCalls.expire(now: now) {
            control.complete(callID, with: Result<NoParameters, VarlinkError>.failure(.busy))
        }
        reloadIfDue(now)
        endRetirement(now)
        announce(now: now)
        if watchdog?.isDue(now, workers: workers.count) == true { workers.post(.ping) }
        if nextStatusAt <= now {
            nextStatusAt = now + Self.statusInterval
            busyShares.update(workers.counters.map(\.tally.busy), now: now)
            updateStatusLine()
            leaveIfIdle(now)
            if case .draining = phase {
                // Stay ahead of systemd's patience for as long as the configuration allows.
                tell { () throws(Errno) in try notifier.extendTimeout(by: .seconds(10)) }
                if restart.handsOff, !awaitsRoom { stop(because: "the rest fits the store") }
            }
        }
        if case .draining(let end) = phase, end <= now {
            stop(because: "the drain's deadline is over")
        }
    }

    // MARK: Status

    private func updateStatusLine() {
        let line = summary
        guard line != statusLine else { return }
        statusLine = line
        tell { () throws(Errno) in try notifier.status(line) }
    }

    /// Tells systemd something; if that fails, the log says so, and the service goes on.
    func tell(_ notify: () throws(Errno) -> Void) {
        do throws(Errno) {
            try descriptors.attempt(notify)
        } catch {
            logger.error(.managerUnreachable, "cannot notify systemd: \(error)")
        }
    }
}
