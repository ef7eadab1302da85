internal import Systemd
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// The listeners and upstreams that are in effect, and those that live sessions have left of
/// earlier configurations.
///
/// Each is known to the workers by a slot. What a reload changes gets a new slot, and the old one
/// stays as it is for as long as a session has it; after that it is used again. So a session keeps
/// what it began with, and nothing is counted on its behalf.
struct LiveConfiguration {
    /// In the order of the configuration.
    var listeners: [LiveListener] = []
    private(set) var upstreams: [LiveUpstream] = []
    /// The snapshot that the workers adopt.
    var snapshot = WorkerSnapshot()
    let workers: Int
    /// The most sessions that there can ever be.
    let capacity: Int
    /// Where sockets are kept for the next process.
    let handoffStore: HandoffStore
    /// The slots of listeners that are gone, but for sessions, and when those end.
    var retiringListeners: [(slot: Int, drain: DrainWindow)] = []
    /// The totals of removed listeners that have no session any more.
    private var retiredTotals = ListenerTally()
    /// Whether nothing is accepted anywhere.
    var isClosed = false
    /// The sockets that have given way to others.
    var retiringSockets: [RetiringSocket] = []
    /// Systemd's sockets that no listener names at present.
    private var spareSockets: [ListeningSocket] = []
    /// The times in which the sessions of servers end that the operator drains.
    var serverDrains: [ObjectIdentifier: DrainWindow] = [:]
    /// The slots that are not free, while a change is made.
    private var listenerSlots = TakenSlots([])
    private var upstreamSlots = TakenSlots([])

    /// Makes an empty one.
    init(workers: Int, capacity: Int, handoffStore: HandoffStore) {
        self.handoffStore = handoffStore
        self.workers = workers
        self.capacity = capacity
    }

    /// The listener of an entry.
    func listener(of entry: LiveListener) -> Listener { snapshot.listeners[entry.slot] }

    /// The upstream of an entry.
    func upstream(of entry: LiveUpstream) -> Upstream { snapshot.upstreams[entry.slot] }

    /// What all forms of a listener have counted.
    func tally(of entry: LiveListener) -> ListenerTally {
        ([entry.slot] + entry.formerSlots).map { snapshot.listeners[$0].tally }
            .reduce(entry.past, +)
    }

    /// What all listeners have counted since the start, those that are gone included.
    var totalTally: ListenerTally {
        let retiring = retiringListeners.map { snapshot.listeners[$0.slot].tally }
        return (retiring + listeners.map(tally)).reduce(retiredTotals, +)
    }

    /// The slots that a listener of this name has and had.
    func slots(ofListener name: String) -> [Int]? {
        guard let entry = listeners.first(where: { $0.name == name }) else { return nil }
        return [entry.slot] + entry.formerSlots
    }

    // MARK: Changes

    /// Goes over to another configuration: opens what is new, and keeps what is the same.
    ///
    /// Nothing is in effect before the exchange is committed, the snapshot has reached the workers
    /// and ``applyLimits()`` was called; so whoever keeps a copy of the configuration before this
    /// may still go back to it.
    ///
    /// - Throws: Why a socket cannot be had; the configuration is not to be used then.
    mutating func change(
        to configuration: Configuration,
        exchange: SocketExchange,
        activated: inout ActivatedSockets
    ) throws(ListenerError) {
        forgetSlots()
        let formerUpstreams = Dictionary(named: upstreams, by: \.configuration.name)
        upstreams = []
        for upstream in configuration.upstreams {
            upstreams.append(keep(formerUpstreams[upstream.name], as: upstream))
        }
        let slotsByName = Dictionary(named: upstreams, by: \.configuration.name)
            .mapValues(\.slot)
        let formerListeners = listeners
        listeners = []
        let window = DrainWindow(
            from: MonotonicClock.milliseconds(),
            lasting: configuration.drain.deadline.milliseconds
        )
        var free = FreeSockets(spareSockets, formerListeners, keptBy: configuration.listeners)
        // All have what they keep before anything is bound, so that one knows what gives way.
        var drafts: [Draft] = []
        var rest = Dictionary(named: formerListeners, by: \.name)
        for listener in configuration.listeners {
            let upstream = listener.upstream.flatMap { slotsByName[$0] }
            let same = rest.removeValue(forKey: listener.name)
            drafts.append(try draft(same, as: listener, upstream: upstream, &free, exchange))
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
        renewSnapshot()
    }

    /// Puts limits into effect that are shared with what was before.
    func applyLimits() {
        for entry in upstreams { upstream(of: entry).applyLimits() }
        for entry in listeners { listener(of: entry).applyLimits() }
    }

    private mutating func keep(_ former: LiveUpstream?, as configuration: UpstreamConfiguration)
        -> LiveUpstream
    {
        if let former, former.configuration == configuration { return former }
        let upstream = Upstream(
            configuration,
            workers: workers,
            former: former.map(upstream(of:))
        )
        let slot = upstreamSlots.take()
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

    /// Finds out which slots may be used again: those that no session has.
    ///
    /// It takes that the snapshot has reached all workers, so that no session can begin in a slot
    /// that has been left.
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
            upstreams.map(\.slot) + slots.compactMap { snapshot.listeners[$0].upstream }
        )
    }
}

/// The slots of a table that are not free.
private struct TakenSlots {
    private var taken: Set<Int>
    /// All below are taken.
    private var next = 0

    init(_ slots: [Int]) { taken = Set(slots) }

    /// Takes the first that is free; it is the end of the table if all in it are taken.
    mutating func take() -> Int {
        while !taken.insert(next).inserted { next += 1 }
        return next
    }
}

extension Dictionary where Key == String {
    /// Finds values by their names, of which none is there twice.
    init(named values: [Value], by name: (Value) -> String) {
        self.init(values.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
    }
}

extension ListenerConfiguration {
    /// The name of the upstream that gets its sessions.
    fileprivate var upstream: String? {
        if case .proxy(let name) = handler { name } else { nil }
    }
}

extension Listener {
    /// Whether it has a session.
    fileprivate var isInUse: Bool { tally.active > 0 }
}

extension [Int] {
    /// Those that fit, and the others.
    fileprivate func split(by isFitting: (Int) -> Bool) -> (fitting: [Int], others: [Int]) {
        (filter(isFitting), filter { !isFitting($0) })
    }
}
