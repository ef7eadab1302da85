internal import Logging
internal import SystemPackage
internal import Varlink
internal import Verypoll
internal import VerypollControl
internal import VerypollServer

/// The server of the control socket or of the metrics socket.
///
/// The server runs on the supervisor's thread and never blocks. The supervisor's poll watches its
/// sockets. When the clients have used up their processor time, the server stops watching all of
/// them, and everything else continues. Each turn serves one client, with one read and at most one
/// answer. The output of each client is bounded. Long-running work is passed to another thread as a
/// ``ControlJob``.
struct ControlServer: ~Copyable {
    /// The most clients that can be connected at the same time.
    static let clientLimit = 64

    /// Messages with more bytes than this are decoded on another thread.
    static let inlineByteCount = 16 << 10

    /// Answers about more listeners and servers than this are encoded on another thread.
    static let inlineEntryCount = 200

    static let acceptsPerTurn = 4
    /// The slot of the listening socket, which has no client.
    static let listenerSlot = clientLimit

    /// The error that replaces an answer that is too long to be sent.
    static let oversizeError = VarlinkError.answerTooLong

    /// The socket that the server serves.
    let socket: ServedSocket
    let service: Varlink.Service
    var jobs: ControlJobs
    let authorization: Authorization
    let descriptors: DescriptorReserve?
    /// The token of the first slot; those of the other slots follow.
    let firstToken: Int
    let registry: Registry
    /// Whether the sockets are watched; they are not while the common credit is used up.
    var isWatched = true
    let logger: Logger
    var listener: ControlListener
    var clients: [ControlClient?]
    var clientCount = 0
    /// The number of clients that monitor the daemon.
    var monitorCount = 0
    var cpuBudget: ControlCPUBudget
    var denialLog = DenialLog()
    /// Returns the processor time that the calling thread has used.
    let threadTime: () -> Duration
    /// The time of the last turn.
    private var lastTurn = ContinuousClock.now

    /// Starts accepting clients.
    ///
    /// - Parameters:
    ///   - listener: The socket, bound and listening.
    ///   - socket: The purpose of the socket.
    ///   - registry: A handle of the supervisor's poll. The supervisor passes the events of each
    ///     turn to ``handle(_:now:handler:)``.
    ///   - firstToken: The first of the server's tokens; see ``owns(_:)``.
    ///   - service: The description of the daemon and its interfaces.
    ///   - authorization: The permissions of the clients.
    ///   - descriptors: A reserve of descriptors for clients, used when the process has no others
    ///     left.
    ///   - logger: The logger for failures of the listening socket.
    ///   - threadTime: Returns the processor time that the calling thread has used.
    /// - Throws: See epoll_ctl(2).
    init(
        listener: consuming UnixListener,
        of socket: ServedSocket = .control,
        registry: consuming Registry,
        firstToken: Int,
        service: Varlink.Service,
        authorization: Authorization,
        descriptors: DescriptorReserve? = nil,
        logger: Logger = Logger(label: "verypolld"),
        threadTime: @escaping () -> Duration = ThreadClock.time
    ) throws(Errno) {
        let listener = try ControlListener(
            listener,
            registry: registry,
            token: Token(firstToken + Self.listenerSlot),
            name: socket.rawValue,
            logger: logger
        )
        self.socket = socket
        self.firstToken = firstToken
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
        self.registry = registry
    }

    /// Whether a token is that of one of the server's sockets.
    func owns(_ token: Token) -> Bool {
        (firstToken...firstToken + Self.listenerSlot).contains(token.rawValue)
    }

    /// The time at which ``tick(now:handler:)`` must be called.
    ///
    /// A time in the past means immediately.
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
                    // The call was already read, so no event will report it.
                    deadlines.append(lastTurn)
                }
            }
        }
        return deadlines.min()
    }

    /// Serves one of the ready sockets: the one with the most credit.
    ///
    /// The events of the others are reported again, because the sockets are level-triggered.
    mutating func handle(
        _ events: borrowing Events,
        now: ContinuousClock.Instant = .now,
        handler: some ControlHandler
    ) {
        // An event may arrive late, when its client is gone or another client has its slot. So only
        // the results of calls on the socket count.
        var slots: [Int] = []
        for position in 0..<events.count {
            let event = events[position]
            guard owns(event.token) else { continue }
            let slot = event.token.rawValue - firstToken
            if slot == Self.listenerSlot { listener.note(event) }
            slots.append(slot)
        }
        guard !slots.isEmpty else { return }
        lastTurn = now
        cpuBudget.update(now: now)
        guard !cpuBudget.isOver else { return watch(false, now: now) }
        guard let slot = slotWithMostCredit(of: slots, now: now) else { return }
        turn(of: slot, now: now, handler: handler)
    }

    /// Starts the next job, resumes paused clients, and serves a call that was already read.
    mutating func tick(
        now: ContinuousClock.Instant = .now,
        handler: some ControlHandler
    ) {
        lastTurn = now
        if let job = jobs.next(now: now) { handler.start(job) }
        descriptors?.refill()
        cpuBudget.update(now: now)
        guard !cpuBudget.isOver else { return }
        watch(true, now: now)
        listener.retryIfDue(now: now, registry: registry)
        for slot in clients.indices where clients[slot] != nil && cpuBudget.isOver(slot) {
            _ = cpuBudget.update(slot, now: now)
            if !cpuBudget.isOver(slot) { finishTurn(of: slot) }
        }
        let waiting = clients.indices.filter {
            clients[$0]?.connection.hasCall == true && !cpuBudget.isOver($0)
        }
        guard let slot = slotWithMostCredit(of: waiting, now: now) else { return }
        turn(of: slot, now: now, handler: handler)
    }

    /// Continues the call that a finished job belongs to; does nothing if the client is gone.
    mutating func finish(
        _ result: ControlJob.Result,
        now: ContinuousClock.Instant = .now,
        handler: some ControlHandler
    ) {
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
        case .monitoring(let status):
            client.connection.reply(status)
            for event in client.heldEvents ?? [] { client.connection.reply(event) }
            client.heldEvents = nil
        }
        finishTurn(of: slot)
        pay(threadTime() - start, for: slot, now: now)
    }

    /// Answers a pending call; does nothing if the client is gone.
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

    /// Sends events to the clients that monitor the daemon.
    mutating func tell(_ events: [MonitorEvent]) {
        guard monitorCount > 0, !events.isEmpty else { return }
        let reply = SharedReply(events)
        for slot in clients.indices {
            guard let client = clients[slot], client.isMonitor else { continue }
            if let heldCount = client.heldEvents?.count {
                // The client must get the status first, which another thread is encoding.
                guard heldCount < ControlClient.heldEventLimit else {
                    close(slot)
                    continue
                }
                client.heldEvents?.append(reply)
                continue
            }
            client.connection.reply(reply)
            // A client whose send buffer is full gets its turn once it is writable.
            if !client.awaitsRoom || client.isFinished { finishTurn(of: slot) }
        }
    }
}
