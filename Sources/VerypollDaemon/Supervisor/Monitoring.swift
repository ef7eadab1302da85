internal import VerypollControl
internal import VerypollServer

/// The changes that those who monitor the daemon are to be told of.
///
/// Each is noted where it happens, with the time at which it happens, and told at the end of the
/// supervisor's turn. Beyond a number, they are counted as lost.
struct Monitoring {
    /// The most changes that wait to be told.
    static let limit = 4096

    /// The most problems that a refused reload is told with.
    static let problemLimit = 64

    /// Whether somebody monitors; else nothing is noted.
    private(set) var isActive = false
    private var events: [MonitorEvent] = []
    private var lostCount = 0
    /// The listeners as they were told last.
    private var listeners: [String: Status.Listener] = [:]
    /// Why each worker does not accept on a listener, by the listener's name.
    private var pauses: [String: [PauseReason]] = [:]
    /// When the last session ended of listeners that drain.
    private(set) var lastEnds: [String: Int] = [:]

    /// Begins with what is told as the present.
    mutating func begin(with present: [Status.Listener], pauses: [String: [PauseReason]]) {
        guard !isActive else { return }  // Others have to hear of changes first.
        isActive = true
        self.pauses = pauses
        listeners = Dictionary(present.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Ends when nobody monitors any more.
    mutating func end() {
        self = Monitoring()
    }

    /// Whether there is anything to tell.
    var hasEvents: Bool { !events.isEmpty || lostCount > 0 }

    /// Takes what is to be told, in the order in which it was noted.
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

    /// Notes how the listeners are since a moment, where that is not as they were.
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

    /// Notes how a listener is since a moment, where that is not as it was.
    mutating func note(_ listener: Status.Listener, timestampUSec: Int) {
        guard isActive else { return }
        if listener.state != .draining { lastEnds[listener.name] = nil }
        if listeners[listener.name]?.isLike(listener) == true { return }
        listeners[listener.name] = listener
        note(MonitorEvent(listener, timestampUSec: timestampUSec))
    }

    /// Notes why a worker does not accept on a listener, or that it does.
    ///
    /// - Returns: The reason that is to be told of the listener, of all its workers.
    mutating func note(_ reason: PauseReason, of worker: Int, on listener: String) -> PauseReason {
        var reasons = pauses[listener] ?? []
        while reasons.count <= worker { reasons.append(.none) }
        reasons[worker] = reason
        pauses[listener] = reasons
        return reasons.first { $0 != .none } ?? .none
    }

    /// Notes that a session has ended: the last one, if the listener drains.
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

    /// The configuration was loaded again.
    init(_ changes: [ConfigurationChange], timestampUSec: Int) {
        self.init(.reloaded, timestampUSec: timestampUSec)
        self.changes = changes
    }

    /// A reload was refused.
    init(_ problems: [Problem], timestampUSec: Int) {
        self.init(.reloadRefused, timestampUSec: timestampUSec)
        self.problems = Array(problems.prefix(Monitoring.problemLimit))
        count = problems.count
    }

    /// A server gets sessions or does not, since its health or its mode has changed.
    init(_ server: Status.Server, of upstream: String, timestampUSec: Int) {
        self.init(server.getsSessions ? .serverUp : .serverDown, timestampUSec: timestampUSec)
        self.upstream = upstream
        self.server = server
    }

    /// So many events could not be told.
    init(lost count: Int) {
        self.init(.lost, timestampUSec: WallClock.microseconds())
        self.count = count
    }
}

extension Status.Server {
    /// Whether sessions go there, as far as the server itself is concerned.
    var getsSessions: Bool { state == .up && mode == .up }
}

extension Status.Listener {
    /// Whether nothing but counters is different.
    fileprivate func isLike(_ other: Status.Listener) -> Bool {
        state == other.state && stateReason == other.stateReason
            && hasDeadline(like: other)
            && addresses == other.addresses && handler == other.handler
            && maxSessions == other.maxSessions
    }

    /// Whether the deadlines are less than a second apart, as the clocks that make them are.
    private func hasDeadline(like other: Status.Listener) -> Bool {
        guard let deadline = drainDeadlineTimestampUSec,
            let another = other.drainDeadlineTimestampUSec
        else { return drainDeadlineTimestampUSec == other.drainDeadlineTimestampUSec }
        return abs(deadline - another) < 1_000_000
    }
}
