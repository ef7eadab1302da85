#if Net && OSExt
internal import SystemPackage
internal import Varlink
internal import Verypoll
internal import VerypollControl

/// The daemon's end of the control socket.
///
/// It lives on the supervisor's thread, inside the supervisor's poll, and never waits: reading,
/// calls and accepting are bounded per turn, output is bounded per client, and a call whose answer
/// is not at hand leaves a ticket. Events of ``tokens`` go to ``handle(_:now:handler:)``, and at
/// ``deadline`` it wants ``tick(now:handler:)``.
struct ControlServer: ~Copyable {
    /// The most clients at a time.
    static let clientLimit = 64

    private static let acceptsPerTurn = 4
    private static let retryDelay = Duration.seconds(1)

    /// The tokens that the server's sources are registered with.
    let tokens: Range<Int>

    let service: Varlink.Service
    private let authorization: Authorization
    private let descriptors: DescriptorReserve?
    private let registry: Registry
    private let listener: UnixListener
    private var clients: [ControlClient?]
    private var clientCount = 0
    /// How many clients are told what happens.
    private(set) var monitorCount = 0
    /// The client that was served last of those with calls left.
    private var lastSlot = 0
    /// When the server last worked.
    private var lastTurn = ContinuousClock.now
    /// When to accept again after having run out of descriptors.
    private var retryInstant: ContinuousClock.Instant?

    /// Begins to accept clients.
    ///
    /// - Parameters:
    ///   - listener: The socket, bound and listening.
    ///   - registry: A handle of the poll whose events come to this server.
    ///   - service: What the daemon says about itself, and its interfaces.
    ///   - authorization: Who may do what.
    ///   - descriptors: What clients get where there are no other descriptors.
    ///   - firstToken: The first of the tokens that are the server's own; see ``tokens``.
    /// - Throws: See epoll_ctl(2).
    init(
        listener: consuming UnixListener,
        registry: consuming Registry,
        service: Varlink.Service,
        authorization: Authorization,
        descriptors: DescriptorReserve? = nil,
        firstToken: Int
    ) throws(Errno) {
        try registry.register(
            listener,
            token: Token(firstToken),
            interest: .readable,
            mode: .level
        )
        tokens = firstToken..<firstToken + 1 + Self.clientLimit
        self.service = service
        self.authorization = authorization
        self.descriptors = descriptors
        clients = Array(repeating: nil, count: Self.clientLimit)
        self.registry = registry
        self.listener = listener
    }

    /// When ``tick(now:handler:)`` is due; an instant of the past means at once.
    var deadline: ContinuousClock.Instant? {
        // A turn can leave calls behind that no event will tell of, as they were read already.
        let hasCalls = clients.contains { $0?.connection.hasCall == true }
        return hasCalls ? lastTurn : retryInstant
    }

    /// Works on what an event tells of.
    mutating func handle(
        _ event: Event,
        now: ContinuousClock.Instant = .now,
        handler: some ControlHandler
    ) {
        precondition(tokens.contains(event.token.rawValue), "event of another source")
        lastTurn = now
        let slot = event.token.rawValue - tokens.lowerBound - 1
        if slot < 0 {
            accept(now: now)
        } else {
            // An event may come late, for a client that is gone or for one that took its place;
            // nothing but the calls on the socket themselves is believed.
            serve(slot, now: now, handler: handler)
        }
    }

    /// Works on what is due.
    mutating func tick(now: ContinuousClock.Instant = .now, handler: some ControlHandler) {
        lastTurn = now
        if let due = retryInstant, due <= now { resumeAccepting(now: now) }
        descriptors?.refill()
        // One client a turn, from where it left off: turns are short, and each client has its own.
        for offset in 1...Self.clientLimit {
            let slot = (lastSlot + offset) % Self.clientLimit
            guard clients[slot]?.connection.hasCall == true else { continue }
            lastSlot = slot
            return serve(slot, now: now, handler: handler)
        }
    }

    /// Answers a call that was left waiting; nothing happens if its client is gone.
    mutating func complete(
        _ ticket: ControlTicket,
        with result: Result<some Encodable, VarlinkError>
    ) {
        guard let client = clients[ticket.slot], client.id == ticket.client,
            client.connection.isCallInProgress, client.connection.callCount == ticket.call
        else { return }
        switch result {
        case .success where client.callWithoutValues == ticket.call:
            client.connection.reply(NoParameters())
        case .success(let parameters): client.connection.reply(parameters)
        case .failure(let error): client.connection.fail(error)
        }
        finishTurn(of: client, in: ticket.slot)
    }

    /// Tells the clients that monitor the daemon what has happened.
    mutating func tell(_ events: [MonitorEvent]) {
        guard monitorCount > 0, !events.isEmpty else { return }
        let reply = SharedReply(events)
        for slot in clients.indices {
            guard let client = clients[slot], client.isMonitor else { continue }
            client.connection.reply(reply)
            // One that has no room will say when it has.
            if !client.awaitsRoom || client.isFinished { finishTurn(of: client, in: slot) }
        }
    }

    // MARK: Clients

    private mutating func serve(
        _ slot: Int,
        now: ContinuousClock.Instant,
        handler: some ControlHandler
    ) {
        guard let client = clients[slot] else { return }
        do throws(Errno) {
            try client.receive(now: now)
        } catch {
            return close(slot)
        }
        if let call = client.connection.nextCall() {
            let ticket = ControlTicket(
                slot: slot,
                client: client.id,
                call: client.connection.callCount
            )
            answer(call, of: client, ticket: ticket, handler: handler)
            // It is its last, so that it is counted once.
            if client.isMonitor { monitorCount += 1 }
        }
        finishTurn(of: client, in: slot)
    }

    private mutating func finishTurn(of client: ControlClient, in slot: Int) {
        do throws(Errno) {
            if !client.isFinished { try client.send() }
            if !client.isFinished { return try client.watch(with: registry) }
        } catch {
            // The client is gone, and with it whoever could be told.
        }
        close(slot)
    }

    private mutating func close(_ slot: Int) {
        drop(slot)
        descriptors?.refill()
    }

    private mutating func drop(_ slot: Int) {
        if clients[slot]?.isMonitor == true { monitorCount -= 1 }
        clients[slot] = nil
    }

    // MARK: Accepting

    private mutating func accept(now: ContinuousClock.Instant) {
        for attempt in 0..<Self.acceptsPerTurn {
            do throws(Errno) {
                guard let accepted = try listener.accept() else { return }
                try admit(accepted.stream, now: now)
            } catch {
                // Without a free descriptor the call fails even where nobody waits; of the first
                // one an event has told.
                if attempt > 0, AcceptFailure(error) == .resources { return }
                if makeRoom(after: error) { continue }
                switch error {
                case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .noBufferSpace:
                    return pauseAccepting(now: now)
                default:
                    continue  // It concerns that one client.
                }
            }
        }
    }

    private mutating func admit(
        _ stream: consuming UnixStream,
        now: ContinuousClock.Instant
    ) throws(Errno) {
        guard let slot = freeSlot() else { return }
        let permission = authorization.permission(
            for: try stream.peerCredentials(),
            groups: try stream.peerGroups()
        )
        clientCount += 1
        let client = ControlClient(
            id: clientCount,
            stream: stream,
            token: Token(tokens.lowerBound + 1 + slot),
            permission: permission,
            now: now
        )
        try client.watch(with: registry)
        clients[slot] = client
    }

    /// Sees to a descriptor for a client: one of the reserve or, where there is none, that of the
    /// client that has been idle longest.
    private mutating func makeRoom(after error: Errno) -> Bool {
        guard let descriptors else { return false }
        if descriptors.lend(for: .control, after: error) { return true }
        guard [.tooManyOpenFiles, .tooManyOpenFilesInSystem].contains(error),
            let slot = idlestSlot
        else { return false }
        drop(slot)
        return true
    }

    /// A slot that is free, if need be made free at the cost of the client that has been idle
    /// longest, so that clients which were forgotten open don't lock the operator out.
    ///
    /// Monitors, which never end by themselves, come after all others.
    ///
    /// - Returns: `nil` if every client waits for an answer.
    private mutating func freeSlot() -> Int? {
        if let free = clients.firstIndex(where: { $0 == nil }) { return free }
        guard let slot = idlestSlot else { return nil }
        drop(slot)
        return slot
    }

    private var idlestSlot: Int? {
        clients.enumerated()
            .filter { _, client in
                client.map { !$0.connection.isCallInProgress || $0.isMonitor } ?? false
            }
            .min { first, second in
                guard let first = first.element, let second = second.element else { return false }
                return (first.isMonitor ? 1 : 0, first.lastActivity)
                    < (second.isMonitor ? 1 : 0, second.lastActivity)
            }?.offset
    }

    private mutating func pauseAccepting(now: ContinuousClock.Instant) {
        // The watch is level-triggered: left in place it would fire again at once.
        try? registry.deregister(listener)
        retryInstant = now + Self.retryDelay
    }

    private mutating func resumeAccepting(now: ContinuousClock.Instant) {
        do throws(Errno) {
            try registry.register(
                listener,
                token: Token(tokens.lowerBound),
                interest: .readable,
                mode: .level
            )
            retryInstant = nil
        } catch {
            retryInstant = now + Self.retryDelay
        }
    }
}
#endif
