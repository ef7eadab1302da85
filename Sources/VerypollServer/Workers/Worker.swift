internal import Logging
internal import SystemPackage
internal import Verypoll

/// The environment of a worker: objects that all workers share, and the worker's view of the
/// snapshot.
package struct WorkerContext: Sendable {
    let index: Int
    let workerCount: Int
    var listeners: [Listener] = []
    var upstreams: [Upstream] = []
    /// The most time that sessions get after their server goes down, in milliseconds.
    var drainDeadline: UInt64 = 0
    /// The most sessions that the daemon can ever have.
    let capacity: Int
    /// Counts the sessions of all listeners.
    let totalLimiter: SessionLimiter
    /// This worker's counters for each listener, by slot.
    var listenerCounters: [ListenerCounters] = []
    let counters: WorkerCounters
    /// The mailboxes of all workers, including this one.
    let mailboxes: [Mailbox<WorkerMessage>]
    let supervisor: Mailbox<WorkerReport>
    /// Descriptors to lend to scrapes when sessions use all others.
    let descriptors: DescriptorReserve
    /// The events for clients that monitor the daemon.
    let sessionEvents: SessionEvents
    let logger: Logger
    /// Whether the end of each session is logged.
    var logsSessions = false
    /// The connections of all workers that may lead to a listener of this daemon.
    let ownConnections: OwnConnections
    /// The TCP ports that are both a listener's and a server's; if there are none, no connection
    /// can run in a circle, and no session is checked for one.
    var chainedPorts: Set<UInt16> = []
}

/// One thread of the daemon: a poll, and the sessions that were accepted on it.
///
/// The parts of a worker are values: the acceptors, the sessions with the schedule of their turns,
/// the tallies, the drains and the mailbox. Its extensions implement its activities: accepting,
/// connecting, serving, handling mail, and handing sessions over.
///
/// A session never leaves its worker, so its state needs no lock. A turn of the loop handles the
/// events of one poll, then the mail, then the sessions that had more to do, then expired timers,
/// then acceptors to open and close. It handles a bounded number of each.
package struct Worker: ~Copyable {
    /// The tokens of events; those of sessions are not negative, the others are.
    package enum Tokens {
        static let mailbox = Token(-1)
        static func acceptor(_ index: Int) -> Token { Token(-2 - index) }
        static func acceptor(of token: Token) -> Int { -2 - token.rawValue }

        /// Returns the token of a session's server: the client's with one more bit, which slab keys
        /// never use because no slab is that large.
        static func server(_ key: SlabKey) -> Token { Token(key.token.rawValue | serverBit) }
        static func isServer(_ token: Token) -> Bool { token.rawValue & serverBit != 0 }
        static func session(_ token: Token) -> SlabKey? {
            token.rawValue < 0 ? nil : SlabKey(Token(token.rawValue & ~serverBit))
        }
        private static let serverBit = 1 << 31
    }

    /// The most events that a turn handles.
    static let eventsPerTurn = 256

    /// The most timers that fire in a turn.
    private static let timersPerTurn = 1024

    var context: WorkerContext
    package let mailbox: Mailbox<WorkerMessage>
    var poll: Poll
    var events = Events(capacity: Self.eventsPerTurn)
    var serveContext: ServeContext
    var sessions: Slab<Session>
    var schedule: SessionSchedule
    /// The sessions that wait for the supervisor to write a report, by its kind.
    var reportQueues: [ReportKind: ReportQueue] = [:]
    var acceptorList = AcceptorList()
    var nextSessionID: UInt64
    var tallies = WorkerTallies()
    /// The drains in progress.
    var drains = Drains()
    var sessionLog = SessionLog()
    /// The searches for sessions to end, the oldest first.
    var sweeps: [KillSweep] = []
    /// Whether the worker accepts no more connections and reports when its last session has ended.
    var isDraining = false
    /// Whether this turn is the last one.
    var isEnding = false

    /// Makes a worker, which begins to work with ``begin(_:_:)``.
    ///
    /// - Parameters:
    ///   - context: The worker's environment.
    ///   - poll: The worker's own poll, in which its mailbox is registered.
    ///   - snapshot: The first snapshot.
    init(_ context: WorkerContext, poll: consuming Poll, snapshot: WorkerSnapshot) {
        let now = MonotonicClock.nanoseconds() / 1_000_000
        self.context = context
        mailbox = context.mailboxes[context.index]
        // Each worker has IDs of its own; the first ID of all is 1.
        nextSessionID = UInt64(context.index) + 1
        serveContext = ServeContext(
            splicePipes: SplicePipePool(limit: snapshot.pipeLimit),
            now: now
        )
        sessions = Slab(capacity: context.capacity)
        schedule = SessionSchedule(capacity: context.capacity, now: now)
        self.poll = poll
        install(snapshot)
    }

    /// Runs the loop until the supervisor ends it.
    mutating func run() throws(Errno) {
        var before = MonotonicClock.nanoseconds()
        while !isEnding {
            try wait(timeout(now: before))
            let now = MonotonicClock.nanoseconds()
            serveContext.now = now / 1_000_000
            tallies.worker.polls += 1
            tallies.worker.events += UInt64(events.count)
            handleEvents()
            handleReady()
            handleTimers()
            if acceptorList.isChanging { changeAcceptors() }
            if !sweeps.isEmpty { sweep() }
            before = MonotonicClock.nanoseconds()
            tallies.worker.busy += before - now
            publish()
        }
    }

    /// Waits for events; if a signal handler interrupts the wait, there are none.
    private mutating func wait(_ timeout: Duration?) throws(Errno) {
        do throws(Errno) {
            try poll.poll(&events, timeout: timeout, interruptible: true)
        } catch {
            guard error == .interrupted else { throw error }
        }
    }

    // Mutating, like many functions of this type that change nothing: Swift 6.3 calls a borrowing
    // method of such a large noncopyable value on a copy of all its bytes.
    private mutating func timeout(now: UInt64) -> Duration? {
        if !schedule.ready.isEmpty || acceptorList.isChanging || !sweeps.isEmpty { return .zero }
        let deadline = min(
            min(schedule.timers.nextDeadline ?? .max, sessionLog.dueAt),
            min(acceptorList.retryAt, acceptorList.resumeAt),
            acceptorList.pauseLogDueAt
        )
        guard deadline != .max else { return nil }
        let moment = deadline * 1_000_000
        return moment <= now ? .zero : .nanoseconds(Int64(clamping: moment - now))
    }

    private mutating func handleEvents() {
        var hasMail = false
        for position in 0..<events.count {
            let event = events[position]
            if let key = Tokens.session(event.token) {
                guard sessions.contains(key) else { continue }
                handle(event, key)
            } else if event.token == Tokens.mailbox {
                hasMail = true
            } else {
                accept(at: Tokens.acceptor(of: event.token))
                rotate(Tokens.acceptor(of: event.token))
            }
        }
        // Mail comes last: a session may replace its connection to a server because of a message,
        // and the events of this poll are about the former connection.
        guard hasMail else { return }
        tallies.worker.wakeUps += 1
        handleMail()
    }

    private mutating func handleReady() {
        // Sessions that are added meanwhile get their turn after the next poll.
        for _ in 0..<schedule.ready.count {
            if let key = schedule.ready.popFirst(), sessions.contains(key) { serve(key) }
        }
    }

    private mutating func handleTimers() {
        // If more timers have expired, the next poll returns at once.
        for _ in 0..<Self.timersPerTurn {
            guard let index = schedule.timers.popExpired(now: serveContext.now) else { break }
            guard let key = sessions.key(at: Int(index)) else { continue }
            guard let due = deadline(of: key) else { continue }
            if due.millisecond <= serveContext.now {
                switch due.timeout {
                case .connector: connectorTimerFired(key)
                case .drain: end(key, because: isDraining ? .stopped : .drained)
                case .inspect: inspectionTimedOut(key)
                case .firstByte, .idle, .halfClosed, .lifetime, .proxyHeader, .requestHead:
                    end(key, because: .timedOut(due.timeout))
                }
            } else {
                schedule.timers.schedule(index, at: due.millisecond)
            }
        }
        if acceptorList.retryAt <= serveContext.now { reopenAcceptors(.forResources) }
        if acceptorList.resumeAt <= serveContext.now { reopenAcceptors(.forMoment) }
        if acceptorList.pauseLogDueAt <= serveContext.now { logResumed() }
        if sessionLog.dueAt <= serveContext.now {
            sessionLog.flush(now: serveContext.now, logger: context.logger)
        }
    }

    /// Publishes the tallies for other threads.
    mutating func publish() {
        tallies.worker.sessions = UInt64(sessions.count)
        tallies.publish(to: context.listenerCounters, context.counters)
    }
}
