internal import VerypollControl
internal import VerypollServer

/// The changes to send to the clients that monitor the daemon.
///
/// Each change is noted where it happens, with its time, and sent at the end of the supervisor's
/// turn. Changes beyond ``limit`` are counted as lost.
struct Monitoring {
    /// The most changes that wait to be sent.
    static let limit = 4096

    /// The most problems that the event of a refused reload contains.
    static let problemLimit = 64

    /// Whether a client monitors the daemon; otherwise nothing is noted.
    private(set) var isActive = false
    private var events: [MonitorEvent] = []
    private var lostCount = 0
    /// The listeners as they were last sent, by name.
    private var listeners: [String: Status.Listener] = [:]
    /// The reason why each worker does not accept on a listener, by the listener's name.
    private var pauses: [String: [PauseReason]] = [:]
    /// The time at which the last session of each draining listener ended, by the listener's name.
    private(set) var lastEnds: [String: Int] = [:]

    /// Starts noting changes, unless another client already monitors the daemon.
    ///
    /// The first event sends `present`, and later events report the differences.
    mutating func begin(with present: [Status.Listener], pauses: [String: [PauseReason]]) {
        guard !isActive else { return }  // Other clients still need the noted changes.
        isActive = true
        self.pauses = pauses
        listeners = Dictionary(present.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Drops everything, once no client monitors any more.
    mutating func end() {
        self = Monitoring()
    }

    /// Whether there are events to send.
    var hasEvents: Bool { !events.isEmpty || lostCount > 0 }

    /// Takes the events to send, in the order in which they were noted.
    mutating func takeEvents() -> (events: [MonitorEvent], lostCount: Int) {
        defer { (events, lostCount) = ([], 0) }
        return (events, lostCount)
    }

    /// Notes a change.
    mutating func note(_ event: MonitorEvent) {
        guard isActive else { return }
        guard events.count < Self.limit else { return lostCount += 1 }
        events.append(event)
    }

    // MARK: Listeners

    /// Notes the state of the listeners at a time, as far as it has changed.
    mutating func note(_ present: [Status.Listener], timestampUSec: Int) {
        guard isActive else { return }
        for listener in present { note(listener, timestampUSec: timestampUSec) }
        let names = Set(present.map(\.name))
        for (name, var listener) in listeners.sorted(by: { $0.key < $1.key })
        where !names.contains(name) {
            listeners[name] = nil
            pauses[name] = nil
            lastEnds[name] = nil
            listener.state = .closed
            note(MonitorEvent(listener, timestampUSec: timestampUSec))
        }
    }

    /// Notes the state of a listener at a time, if it has changed.
    mutating func note(_ listener: Status.Listener, timestampUSec: Int) {
        guard isActive else { return }
        if listener.state != .draining { lastEnds[listener.name] = nil }
        if listeners[listener.name]?.isLike(listener) == true { return }
        let former = listeners.updateValue(listener, forKey: listener.name)
        note(MonitorEvent(listener, timestampUSec: timestampUSec))
        guard listener.state == .drained, former?.state != .drained else { return }
        var event = MonitorEvent(.drainDone, timestampUSec: timestampUSec)
        event.listener = listener
        note(event)
    }

    /// Notes why a worker does not accept on a listener, or that it accepts.
    ///
    /// - Returns: The reason to report for the listener, over all its workers.
    mutating func note(_ reason: PauseReason, of worker: Int, on listener: String) -> PauseReason {
        var reasons = pauses[listener] ?? []
        while reasons.count <= worker { reasons.append(.none) }
        reasons[worker] = reason
        pauses[listener] = reasons
        return reasons.first { $0 != .none } ?? .none
    }

    /// Notes that a session has ended, which may be the last one of a draining listener.
    mutating func noteEnd(of listener: String, timestampUSec: Int) {
        guard listeners[listener]?.state == .draining else { return }
        lastEnds[listener] = timestampUSec
    }
}

extension MonitorEvent {
    fileprivate init(_ listener: Status.Listener, timestampUSec: Int) {
        self.init(.listenerChanged, timestampUSec: timestampUSec)
        self.listener = listener
    }

    /// Creates the event of a completed reload.
    init(_ changes: [ConfigurationChange], timestampUSec: Int) {
        self.init(.reloaded, timestampUSec: timestampUSec)
        self.changes = changes
    }

    /// Creates the event of a refused reload.
    init(_ problems: [Problem], timestampUSec: Int) {
        self.init(.reloadRefused, timestampUSec: timestampUSec)
        self.problems = Array(problems.prefix(Monitoring.problemLimit))
        count = problems.count
    }

    /// Creates the event of a server that now gets sessions or no longer does, because its health
    /// or its mode has changed.
    init(_ server: Status.Server, of upstream: String, timestampUSec: Int) {
        self.init(server.getsSessions ? .serverUp : .serverDown, timestampUSec: timestampUSec)
        self.upstream = upstream
        self.server = server
    }

    /// Creates the event that reports how many events were lost.
    init(lost count: Int) {
        self.init(.lost, timestampUSec: WallClock.microseconds())
        self.count = count
    }
}

extension Status.Server {
    /// Whether the server's health and mode let it get sessions.
    var getsSessions: Bool { state.isAvailable && mode == .up }
}

extension Status.Listener {
    /// Returns whether only counters differ.
    fileprivate func isLike(_ other: Status.Listener) -> Bool {
        state == other.state && stateReason == other.stateReason
            && hasDeadline(like: other)
            && addresses == other.addresses && handler == other.handler
            && maxSessions == other.maxSessions
    }

    /// Returns whether the deadlines are less than a second apart; smaller differences come from
    /// the clocks.
    private func hasDeadline(like other: Status.Listener) -> Bool {
        guard let deadline = drainDeadlineTimestampUSec,
            let another = other.drainDeadlineTimestampUSec
        else { return drainDeadlineTimestampUSec == other.drainDeadlineTimestampUSec }
        return abs(deadline - another) < 1_000_000
    }
}
