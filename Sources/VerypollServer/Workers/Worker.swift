internal import Logging
internal import SystemPackage
internal import Verypoll

/// What all workers share, and for each its own: what the snapshot says, and mailboxes.
package struct WorkerContext: Sendable {
    let index: Int
    let workerCount: Int
    var listeners: [Listener] = []
    var upstreams: [Upstream] = []
    /// What sessions of a server that goes down get at most, in milliseconds.
    var drainDeadline: UInt64 = 0
    /// The most sessions that there can ever be.
    let capacity: Int
    /// Counts the sessions of all listeners.
    let totalLimiter: SessionLimiter
    /// This worker's counters of each listener.
    var listenerCounters: [ListenerCounters] = []
    let counters: WorkerCounters
    /// The mailboxes of all workers, this one's among them.
    let mailboxes: [Mailbox<WorkerMessage>]
    let supervisor: Mailbox<WorkerReport>
    /// For those who look after the daemon.
    let descriptors: DescriptorReserve
    /// For those who monitor the daemon.
    let sessionEvents: SessionEvents
    let logger: Logger
    /// Whether the end of each session is logged.
    var logsSessions = false
    /// The connections of all workers that may lead to a listener of this daemon.
    let ownConnections: OwnConnections
    /// The TCP ports that the daemon listens on, if a server of an upstream has one of them; empty
    /// otherwise, so that no session pays for a chain that can't be.
    var chainedPorts: Set<UInt16> = []
    /// The millisecond of the last line in the log on connections in a circle.
    var circleLoggedAt: UInt64?
}

/// A thread's share of the daemon: a poll, and the sessions that were accepted on it.
///
/// Its parts are values of their own: the acceptors, the sessions with the schedule of their turns,
/// the tallies, the drains and the mailbox. Its extensions are what it does with them: accepting,
/// connecting, serving, handling mail, and handing sessions over.
///
/// A session lives and dies here, so nothing of it is locked. A turn of the loop handles the events
/// of one poll, then the sessions that had work left, then timers and mail, each a bounded number.
package struct Worker: ~Copyable {
    /// The tokens that are not of sessions; those are not negative.
    package enum Tokens {
        static let mailbox = Token(-1)
        static func acceptor(_ index: Int) -> Token { Token(-2 - index) }
        static func acceptor(of token: Token) -> Int { -2 - token.rawValue }

        /// The token of a session's server is its client's with one bit more, which is free as no
        /// slab is so large.
        static func server(_ key: SlabKey) -> Token { Token(key.token.rawValue | serverBit) }
        static func isServer(_ token: Token) -> Bool { token.rawValue & serverBit != 0 }
        static func session(_ token: Token) -> SlabKey? {
            token.rawValue < 0 ? nil : SlabKey(Token(token.rawValue & ~serverBit))
        }
        private static let serverBit = 1 << 31
    }

    /// The most events that one turn handles.
    static let eventsPerTurn = 256

    /// The most timers that fire in one turn.
    private static let timersPerTurn = 1024

    var context: WorkerContext
    package let mailbox: Mailbox<WorkerMessage>
    var poll: Poll
    var events = Events(capacity: Self.eventsPerTurn)
    var serveContext: ServeContext
    var sessions: Slab<Session>
    var schedule: SessionSchedule
    /// Sessions that wait for metrics to be written, by the format that they want.
    var metricsQueues: [MetricsFormat: MetricsQueue] = [:]
    var acceptorList = AcceptorList()
    var nextSessionID: UInt64
    var tallies = WorkerTallies()
    /// The drains under way.
    var drains = Drains()
    var sessionLog = SessionLog()
    /// Whether it accepts no more, and reports when no session is left.
    var isDraining = false
    /// Whether this turn is its last.
    var isEnding = false

    /// Makes a worker that does nothing before ``begin(_:_:)``.
    ///
    /// - Parameters:
    ///   - context: What it shares with the others.
    ///   - poll: Its own poll, in which its mailbox is registered.
    ///   - snapshot: What it does at first.
    init(_ context: WorkerContext, poll: consuming Poll, snapshot: WorkerSnapshot) {
        let now = MonotonicClock.nanoseconds() / 1_000_000
        self.context = context
        mailbox = context.mailboxes[context.index]
        // Numbers of different workers differ; the first session of all is number 1.
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

    /// Works until the supervisor says to end.
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
            before = MonotonicClock.nanoseconds()
            tallies.worker.busy += before - now
            publish()
        }
    }

    /// Waits for events; a signal handler that ran meanwhile ends the wait without any.
    private mutating func wait(_ timeout: Duration?) throws(Errno) {
        do throws(Errno) {
            try poll.poll(&events, timeout: timeout, interruptible: true)
        } catch {
            guard error == .interrupted else { throw error }
        }
    }

    // Mutating, as are many other functions of this type that change nothing: Swift 6.3 calls a
    // borrowing method of so large a noncopyable value on a copy of all its bytes.
    private mutating func timeout(now: UInt64) -> Duration? {
        if !schedule.ready.isEmpty { return .zero }
        let deadline = min(
            min(schedule.timers.nextDeadline ?? .max, sessionLog.dueAt),
            acceptorList.retryAt,
            acceptorList.resumeAt
        )
        guard deadline != .max else { return nil }
        let moment = deadline * 1_000_000
        return moment <= now ? .zero : .nanoseconds(Int64(clamping: moment - now))
    }

    private mutating func handleEvents() {
        for position in 0..<events.count {
            let event = events[position]
            if let key = Tokens.session(event.token) {
                guard sessions.contains(key) else { continue }
                handle(event, key)
            } else if event.token == Tokens.mailbox {
                tallies.worker.wakeUps += 1
                handleMail()
            } else {
                accept(at: Tokens.acceptor(of: event.token))
                rotate(Tokens.acceptor(of: event.token))
            }
        }
    }

    private mutating func handleReady() {
        // Those that are put in meanwhile have their turn after the next poll.
        for _ in 0..<schedule.ready.count {
            if let key = schedule.ready.popFirst(), sessions.contains(key) { serve(key) }
        }
    }

    private mutating func handleTimers() {
        // What is due beyond that makes the next poll return at once.
        for _ in 0..<Self.timersPerTurn {
            guard let index = schedule.timers.popExpired(now: serveContext.now) else { break }
            guard let key = sessions.key(at: Int(index)) else { continue }
            guard let due = deadline(of: key) else { continue }
            if due.millisecond <= serveContext.now {
                switch due.timeout {
                case .connector: connectorTimerFired(key)
                case .drain: end(key, because: isDraining ? .stopped : .drained)
                default: end(key, because: .timedOut(due.timeout))
                }
            } else {
                schedule.timers.schedule(index, at: due.millisecond)
            }
        }
        if acceptorList.retryAt <= serveContext.now { reopenAcceptors(.forResources) }
        if acceptorList.resumeAt <= serveContext.now { reopenAcceptors(.forMoment) }
        if sessionLog.dueAt <= serveContext.now {
            sessionLog.flush(now: serveContext.now, logger: context.logger)
        }
    }

    /// Shows the tallies to other threads.
    mutating func publish() {
        tallies.worker.sessions = UInt64(sessions.count)
        tallies.publish(to: context.listenerCounters, context.counters)
    }
}
