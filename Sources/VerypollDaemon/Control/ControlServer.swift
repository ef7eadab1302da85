internal import Logging
internal import SystemPackage
internal import Varlink
internal import Verypoll
internal import VerypollControl
internal import VerypollServer

/// The daemon's end of the control socket.
///
/// It lives on the supervisor's thread and never waits. It has a poll of its own, nested in the
/// supervisor's: while the clients have used up their processor time, the supervisor stops watching
/// that one descriptor, and everything else goes on. Each turn serves one client: it reads once and
/// answers one call at most. Output is bounded per client. Work that takes long is left to another
/// thread as a ``ControlJob``.
struct ControlServer: ~Copyable {
    /// The most clients at a time.
    static let clientLimit = 64

    /// Messages of more bytes are decoded on another thread.
    static let inlineByteCount = 16 << 10

    static let acceptsPerTurn = 4
    /// The slot of the listening socket, which has no client.
    static let listenerSlot = clientLimit

    /// The answer in the place of one that is too long to be sent.
    static let oversizeError = VarlinkError.answerTooLong

    let service: Varlink.Service
    var jobs: ControlJobs
    let authorization: Authorization
    let descriptors: DescriptorReserve?
    let token: Token
    let outer: Registry
    var isWatched = true
    var poll: Poll
    private var events = Events(capacity: clientLimit + 1)
    let logger: Logger
    var listener: ControlListener
    var clients: [ControlClient?]
    var clientCount = 0
    /// How many clients are told what happens.
    var monitorCount = 0
    var cpuBudget: ControlCPUBudget
    /// Tells how much processor time the thread has used.
    let threadTime: () -> Duration
    /// When the server last worked.
    private var lastTurn = ContinuousClock.now

    /// Begins to accept clients.
    ///
    /// - Parameters:
    ///   - listener: The socket, bound and listening.
    ///   - registry: A handle of the supervisor's poll; its events of `token` are for
    ///     ``handle(now:handler:)``.
    ///   - token: The token of all that is the server's.
    ///   - service: What the daemon says about itself, and its interfaces.
    ///   - authorization: Who may do what.
    ///   - descriptors: Descriptors for clients while the process has no others.
    ///   - logger: Hears of failures of the listening socket.
    ///   - threadTime: Tells how much processor time the calling thread has used.
    /// - Throws: See epoll_create1(2) and epoll_ctl(2).
    init(
        listener: consuming UnixListener,
        registry: consuming Registry,
        token: Token,
        service: Varlink.Service,
        authorization: Authorization,
        descriptors: DescriptorReserve? = nil,
        logger: Logger = Logger(label: "verypolld"),
        threadTime: @escaping () -> Duration = ThreadClock.time
    ) throws(Errno) {
        let poll = try Poll()
        let listener = try ControlListener(
            listener,
            registry: poll.registry,
            token: Token(Self.listenerSlot),
            logger: logger
        )
        let source = SourceFD(poll.fileDescriptor)
        try registry.register(source, token: token, interest: .readable, mode: .level)
        self.token = token
        self.service = service
        self.authorization = authorization
        self.descriptors = descriptors
        self.logger = logger
        self.threadTime = threadTime
        let now = ContinuousClock.now
        clients = Array(repeating: nil, count: Self.clientLimit)
        cpuBudget = ControlCPUBudget(slots: Self.clientLimit + 1, now: now)
        jobs = ControlJobs(now: now)
        self.listener = listener
        outer = registry
        self.poll = poll
    }

    /// When ``tick(now:handler:)`` is due; an instant of the past means at once.
    var deadline: ContinuousClock.Instant? {
        var deadlines = [jobs.deadline(earliest: lastTurn)].compactMap { $0 }
        if cpuBudget.isOver {
            deadlines.append(cpuBudget.resumesAt)
        } else {
            if let due = listener.deadline { deadlines.append(due) }
            for (slot, client) in clients.enumerated() {
                guard let client else { continue }
                if cpuBudget.isOver(slot) {
                    deadlines.append(cpuBudget.resumesAt(slot))
                } else if client.connection.hasCall {
                    // No event tells of it, as it was read already.
                    deadlines.append(lastTurn)
                }
            }
        }
        return deadlines.min()
    }

    /// Works on one of the sources that are ready: that of the client with the most credit.
    ///
    /// - Throws: See epoll_wait(2) and epoll_ctl(2).
    mutating func handle(
        now: ContinuousClock.Instant = .now,
        handler: some ControlHandler
    ) throws(Errno) {
        lastTurn = now
        cpuBudget.update(now: now)
        guard !cpuBudget.isOver else { return try watch(false) }
        try poll.poll(&events, timeout: .zero)
        // An event may come late, for a client that is gone or for one that took its place;
        // nothing but the calls on the socket themselves is believed.
        let slots = events.map(\.token.rawValue)
        for event in events where event.token.rawValue == Self.listenerSlot {
            listener.note(event)
        }
        guard let slot = slotWithMostCredit(of: slots, now: now) else { return }
        try turn(of: slot, now: now, handler: handler)
    }

    /// Works on what is due.
    ///
    /// - Throws: See epoll_ctl(2).
    mutating func tick(
        now: ContinuousClock.Instant = .now,
        handler: some ControlHandler
    ) throws(Errno) {
        lastTurn = now
        if let job = jobs.next(now: now) { handler.start(job) }
        descriptors?.refill()
        cpuBudget.update(now: now)
        guard !cpuBudget.isOver else { return }
        try watch(true)
        listener.retryIfDue(now: now, registry: poll.registry)
        for slot in clients.indices where clients[slot] != nil && cpuBudget.isOver(slot) {
            _ = cpuBudget.update(slot, now: now)
            if !cpuBudget.isOver(slot) { finishTurn(of: slot) }
        }
        let waiting = clients.indices.filter { clients[$0]?.connection.hasCall == true }
        guard let slot = slotWithMostCredit(of: waiting, now: now) else { return }
        try turn(of: slot, now: now, handler: handler)
    }

    /// Goes on with the call that a job was done for; nothing happens if its client is gone.
    ///
    /// - Throws: See epoll_ctl(2).
    mutating func finish(
        _ result: ControlJob.Result,
        now: ContinuousClock.Instant = .now,
        handler: some ControlHandler
    ) throws(Errno) {
        jobs.finish(after: result.time, now: now)
        let slot = result.callID.slot
        guard let client = clients[slot], client.id == result.callID.client else { return }
        cpuBudget.useElsewhere(result.time, by: slot)
        let start = threadTime()
        switch result.outcome {
        case .decoded(let decoded):
            if let call = client.connection.begin(decoded) {
                perform(call, of: client, in: slot, handler: handler)
            }
        case .answered(let reply):
            guard client.connection.isCallInProgress,
                client.connection.callCount == result.callID.call
            else { return }
            guard let reply else { return close(slot) }
            client.connection.reply(reply)
        }
        finishTurn(of: slot)
        try pay(threadTime() - start, for: slot)
    }

    /// Answers a call that was left waiting; nothing happens if its client is gone.
    mutating func complete(
        _ callID: CallID,
        with result: Result<some Encodable, VarlinkError>
    ) {
        guard let client = clients[callID.slot], client.id == callID.client,
            client.connection.isCallInProgress, client.connection.callCount == callID.call
        else { return }
        let start = threadTime()
        switch result {
        case .success where client.callWithoutValues == callID.call:
            client.connection.reply(NoParameters())
        case .success(let parameters): client.connection.reply(parameters)
        case .failure(let error): client.connection.fail(error)
        }
        finishTurn(of: callID.slot)
        cpuBudget.use(threadTime() - start, by: callID.slot)
    }

    /// Tells the clients that monitor the daemon what has happened.
    mutating func tell(_ events: [MonitorEvent]) {
        guard monitorCount > 0, !events.isEmpty else { return }
        let reply = SharedReply(events)
        for slot in clients.indices {
            guard let client = clients[slot], client.isMonitor else { continue }
            client.connection.reply(reply)
            // One that has no room will say when it has.
            if !client.awaitsRoom || client.isFinished { finishTurn(of: slot) }
        }
    }
}
