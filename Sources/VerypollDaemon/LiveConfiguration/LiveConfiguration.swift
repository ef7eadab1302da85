internal import Systemd
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// The listeners and upstreams in effect, and those of earlier configurations that still have
/// sessions.
///
/// Workers know each listener and upstream by a slot. A listener or upstream that a reload changes
/// gets a new slot. The old slot stays as it is until no session uses it, and is then reused. A
/// session needs no reference to its listener or upstream; its slot number is enough.
struct LiveConfiguration {
    /// The listeners in effect, in the order of the configuration.
    var listeners: [LiveListener] = []
    var upstreams: [LiveUpstream] = []
    /// The snapshot that the workers adopt.
    var snapshot = WorkerSnapshot()
    let workers: Int
    /// The most sessions that can ever be open at the same time.
    let capacity: Int
    /// The store that keeps sockets for the next process.
    let handoffStore: HandoffStore
    /// The slots of removed listeners that still have sessions, and the windows in which these end.
    var retiringListeners: [(slot: Int, drain: DrainWindow)] = []
    /// The totals of removed listeners that have no sessions left.
    private var retiredTotals = ListenerTally()
    /// Whether no listener accepts, because the daemon is idle.
    var isClosed = false
    /// The sockets that new ones have replaced and whose backlogs are still served.
    var retiringSockets: [RetiringSocket] = []
    /// The sockets passed by systemd that no listener names at present.
    private var spareSockets: [ListeningSocket] = []
    /// The sockets that no listener has any more; they close once the workers have released them.
    var leavingSockets: [ListeningSocket] = []
    /// The windows in which the sessions of drained servers end, by server.
    var serverDrains: [ObjectIdentifier: DrainWindow] = [:]
    /// The slots in use; only valid while a change is made.
    private var listenerSlots = TakenSlots([])
    private var upstreamSlots = TakenSlots([])

    /// Creates an empty live configuration.
    init(workers: Int, capacity: Int, handoffStore: HandoffStore) {
        self.handoffStore = handoffStore
        self.workers = workers
        self.capacity = capacity
    }

    /// Returns the listener of an entry.
    func listener(of entry: LiveListener) -> Listener { snapshot.listeners[entry.slot] }

    /// Returns the upstream of an entry.
    func upstream(of entry: LiveUpstream) -> Upstream { snapshot.upstreams[entry.slot] }

    /// Returns the totals of a listener, including those of its earlier configurations.
    func tally(of entry: LiveListener) -> ListenerTally {
        ([entry.slot] + entry.formerSlots).map { snapshot.listeners[$0].tally }
            .reduce(entry.past, +)
    }

    /// The totals of all listeners since the start, including removed ones.
    var totalTally: ListenerTally {
        let retiring = retiringListeners.map { snapshot.listeners[$0.slot].tally }
        return (retiring + listeners.map(tally)).reduce(retiredTotals, +)
    }

    /// Returns the current slot and the earlier slots of a listener; `nil` if no listener has this
    /// name.
    func slots(ofListener name: String) -> [Int]? {
        guard let entry = listeners.first(where: { $0.name == name }) else { return nil }
        return [entry.slot] + entry.formerSlots
    }

    // MARK: Changes

    /// Switches to another configuration.
    ///
    /// New sockets are opened; unchanged listeners and upstreams stay.
    ///
    /// The change takes effect once the exchange is committed, the snapshot has reached the workers
    /// and ``applyLimits()`` was called. Until then, the caller can return to a copy made before.
    ///
    /// - Throws: `ListenerError` if a socket cannot be opened. In that case, this value must not be
    ///   used.
    mutating func change(
        to configuration: Configuration,
        exchange: SocketExchange,
        activated: inout ActivatedSockets
    ) throws(ListenerError) {
        forgetSlots()
        let window = DrainWindow(
            from: MonotonicClock.milliseconds(),
            lasting: configuration.drain.deadline.milliseconds
        )
        let formerUpstreams = Dictionary(named: upstreams, by: \.configuration.name)
        upstreams = []
        for upstream in configuration.upstreams {
            upstreams.append(keep(formerUpstreams[upstream.name], as: upstream))
        }
        beginDrains(window)
        let slotsByName = Dictionary(named: upstreams, by: \.configuration.name)
            .mapValues(\.slot)
        let formerListeners = listeners
        let formerSockets = sockets
        listeners = []
        var free = FreeSockets(spareSockets, formerListeners, keptBy: configuration.listeners)
        // Assign all kept sockets before binding any, so that it is known which sockets are
        // replaced.
        var drafts: [Draft] = []
        var rest = Dictionary(named: formerListeners, by: \.name)
        for listener in configuration.listeners {
            let upstreams = listener.handler.routing?.upstreams.compactMap { slotsByName[$0] }
            let same = rest.removeValue(forKey: listener.name)
            drafts.append(
                try draft(same, as: listener, upstreams: upstreams ?? [], &free, exchange)
            )
        }
        let leaving = formerListeners.filter { rest[$0.name] != nil }
        let unused = free.takeRest()
        spareSockets = unused.activated
        exchange.offer(unused.own + retiringSockets.map(\.socket))
        exchange.noteActivated(unused.activated + drafts.flatMap(\.kept))
        for draft in drafts { listeners.append(try finish(draft, exchange, &activated)) }
        retire(exchange)
        retiringListeners += leaving.flatMap { [$0.slot] + $0.formerSlots }.map { ($0, window) }
        retiredTotals = leaving.map(\.past).reduce(retiredTotals, +)
        snapshot.logsSessions = configuration.log.sessions
        snapshot.drainDeadline = configuration.drain.deadline.milliseconds
        snapshot.pipeLimit = configuration.limits.pipesPerWorker
        let present = Set(sockets.map(ObjectIdentifier.init))
        leavingSockets += formerSockets.filter { !present.contains(ObjectIdentifier($0)) }
        renewSnapshot()
    }

    /// The sockets of all listeners, those that retire, and those that no listener names.
    private var sockets: [ListeningSocket] {
        listeners.flatMap(\.sockets) + retiringSockets.map(\.socket) + spareSockets
    }

    /// Takes the sockets that are to close, so that the caller can release them.
    mutating func takeLeavingSockets() -> [ListeningSocket] {
        defer { leavingSockets = [] }
        return leavingSockets
    }

    /// Applies the limits that are shared with earlier configurations, and marks the listeners of
    /// these.
    func applyLimits() {
        for entry in upstreams { upstream(of: entry).applyLimits() }
        for entry in listeners { listener(of: entry).applyLimits() }
        let former = listeners.flatMap(\.formerSlots) + retiringListeners.map(\.slot)
        for slot in former { snapshot.listeners[slot].isReplaced = true }
    }

    mutating func keep(_ former: LiveUpstream?, as configuration: UpstreamConfiguration)
        -> LiveUpstream
    {
        if let former, former.configuration == configuration { return former }
        // The sessions of an upstream with services must find the servers of later answers.
        let keepsSlot = !configuration.services.isEmpty && former?.hasServices == true
        let upstream = Upstream(
            configuration,
            workers: workers,
            former: former.map(upstream(of:)),
            keepsSlot: keepsSlot
        )
        let slot = (keepsSlot ? former?.slot : nil) ?? upstreamSlots.take()
        if slot == snapshot.upstreams.endIndex {
            snapshot.upstreams.append(upstream)
        } else {
            snapshot.upstreams[slot] = upstream
        }
        return LiveUpstream(configuration: configuration, slot: slot)
    }

    mutating func add(_ listener: Listener) -> Int {
        let slot = listenerSlots.take()
        if slot == snapshot.listeners.endIndex {
            snapshot.listeners.append(listener)
        } else {
            snapshot.listeners[slot] = listener
        }
        return slot
    }

    /// Determines which slots can be reused: those without sessions.
    ///
    /// The snapshot must have reached all workers, so that no session can start in an earlier slot.
    private mutating func forgetSlots() {
        for index in listeners.indices {
            let (kept, free) = listeners[index].formerSlots.split { snapshot.listeners[$0].isInUse }
            let tallies = free.map { snapshot.listeners[$0].tally }
            listeners[index].past = tallies.reduce(listeners[index].past, +)
            listeners[index].formerSlots = kept
        }
        for (slot, _) in retiringListeners where !snapshot.listeners[slot].isInUse {
            retiredTotals = retiredTotals + snapshot.listeners[slot].tally
        }
        retiringListeners.removeAll { !snapshot.listeners[$0.slot].isInUse }
        let slots = retiringListeners.map(\.slot) + listeners.flatMap { [$0.slot] + $0.formerSlots }
        listenerSlots = TakenSlots(slots)
        upstreamSlots = TakenSlots(
            upstreams.map(\.slot) + slots.flatMap { snapshot.listeners[$0].upstreams }
        )
    }
}

/// The slots of a table that are in use.
private struct TakenSlots {
    private var taken: Set<Int>
    /// All slots below this one are in use.
    private var next = 0

    init(_ slots: [Int]) { taken = Set(slots) }

    /// Takes the first free slot, which is the table's end if all its slots are in use.
    mutating func take() -> Int {
        while !taken.insert(next).inserted { next += 1 }
        return next
    }
}

extension Dictionary where Key == String {
    /// Creates a dictionary of values by their names, which are unique.
    init(named values: [Value], by name: (Value) -> String) {
        self.init(values.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Listener {
    /// Whether the listener has a session.
    fileprivate var isInUse: Bool { tally.active > 0 }
}

extension [Int] {
    /// Returns the elements that satisfy a condition, and the others.
    fileprivate func split(by isFitting: (Int) -> Bool) -> (fitting: [Int], others: [Int]) {
        (filter(isFitting), filter { !isFitting($0) })
    }
}
