#if Net && OSExt
internal import Systemd
internal import VerypollControl

/// The listeners and upstreams that are in effect, and those that live sessions have left of
/// earlier configurations.
///
/// Each is known to the workers by a slot. What a reload changes gets a new slot, and the old one
/// stays as it is for as long as a session has it; after that it is used again. So a session keeps
/// what it began with, and nothing is counted on its behalf.
struct Roster {
    /// A listener in effect.
    struct Served {
        var configuration: ListenerConfiguration
        var slot: Int
        /// None while it is drained, but for those of systemd.
        var sockets: [ListeningSocket]
        /// Where it accepts, or did before it was drained, for people.
        var addresses: [Status.Listener.Address]
        /// The slots of its earlier forms that sessions may still have.
        var formerSlots: [Int] = []
        /// What its earlier forms have counted that no session has any more.
        var past = ListenerTally()
        /// The time in which its sessions end, while it accepts nothing.
        var drain: DrainWindow?

        var name: String { configuration.name }
    }

    /// A socket that has given way to another one, whose backlog is still served.
    struct Retiring {
        let socket: ListeningSocket
        /// The name of the listener that serves it.
        let listener: String
        /// When it closes.
        let endsAt: ContinuousClock.Instant
    }

    /// An upstream in effect.
    struct Pool {
        let configuration: UpstreamConfiguration
        let slot: Int
    }

    /// In the order of the configuration.
    var served: [Served] = []
    private(set) var pools: [Pool] = []
    /// What the workers are to do.
    var plan = Plan()
    let workers: Int
    /// The most sessions that there can ever be.
    let capacity: Int
    /// Where sockets are kept for the next process.
    let succession: Succession
    /// The slots of listeners that are gone, but for sessions, and when those end.
    var left: [(slot: Int, drain: DrainWindow)] = []
    /// What listeners have counted that are gone with all their sessions.
    private var gone = ListenerTally()
    /// Whether nothing is accepted anywhere.
    var isClosed = false
    /// The sockets that have given way to others.
    var retiring: [Retiring] = []
    /// Systemd's sockets that no listener names at present.
    private var spareSockets: [ListeningSocket] = []
    /// The times in which the sessions of servers end that the operator drains.
    var serverDrains: [ObjectIdentifier: DrainWindow] = [:]
    /// The slots that are not free, while a change is made.
    private var listenerSlots = TakenSlots([])
    private var upstreamSlots = TakenSlots([])

    /// Makes an empty roster.
    init(workers: Int, capacity: Int, succession: Succession) {
        self.succession = succession
        self.workers = workers
        self.capacity = capacity
    }

    /// The listener of an entry.
    func listener(of served: Served) -> Listener { plan.listeners[served.slot] }

    /// The upstream of an entry.
    func upstream(of pool: Pool) -> Upstream { plan.upstreams[pool.slot] }

    /// What all forms of a listener have counted.
    func tally(of served: Served) -> ListenerTally {
        ([served.slot] + served.formerSlots).map { plan.listeners[$0].tally }
            .reduce(served.past, +)
    }

    /// What all listeners have counted since the start, those that are gone included.
    var totalTally: ListenerTally {
        let left = left.map { plan.listeners[$0.slot].tally }
        return (left + served.map(tally)).reduce(gone, +)
    }

    /// The slots that a listener of this name has and had.
    func slots(ofListener name: String) -> [Int]? {
        guard let entry = served.first(where: { $0.name == name }) else { return nil }
        return [entry.slot] + entry.formerSlots
    }

    // MARK: Changes

    /// Goes over to another configuration: opens what is new, and keeps what is the same.
    ///
    /// Nothing is in effect before the exchange is committed, the plan has reached the workers and
    /// ``applyLimits()`` was called; so whoever keeps a copy of the roster before this may still go
    /// back to it.
    ///
    /// - Throws: Why a socket cannot be had; the roster is not to be used then.
    mutating func change(
        to configuration: Configuration,
        exchange: SocketExchange,
        passed: inout ActivatedSockets
    ) throws(ListenerError) {
        forgetSlots()
        let formerPools = Dictionary(named: pools, by: \.configuration.name)
        pools = []
        for upstream in configuration.upstreams {
            pools.append(keep(formerPools[upstream.name], as: upstream))
        }
        let slotsOfPools = Dictionary(named: pools, by: \.configuration.name)
            .mapValues(\.slot)
        let formerServed = served
        served = []
        let window = DrainWindow(
            from: MonotonicClock.milliseconds(),
            lasting: configuration.drain.deadline.milliseconds
        )
        var free = FreeSockets(spareSockets, formerServed, keptBy: configuration.listeners)
        // All have what they keep before anything is bound, so that one knows what gives way.
        var drafts: [Draft] = []
        var rest = Dictionary(named: formerServed, by: \.name)
        for listener in configuration.listeners {
            let upstream = listener.upstream.flatMap { slotsOfPools[$0] }
            let same = rest.removeValue(forKey: listener.name)
            drafts.append(try draft(same, as: listener, upstream: upstream, &free, exchange))
        }
        let leaving = formerServed.filter { rest[$0.name] != nil }
        let unused = free.takeRest()
        spareSockets = unused.passed
        exchange.offer(unused.own + retiring.map(\.socket))
        exchange.noteActivated(unused.passed + drafts.flatMap(\.kept))
        for draft in drafts { served.append(try finish(draft, exchange, &passed)) }
        retire(exchange)
        left += leaving.flatMap { [$0.slot] + $0.formerSlots }.map { ($0, window) }
        gone = leaving.map(\.past).reduce(gone, +)
        plan.logsSessions = configuration.log.sessions
        plan.drainDeadline = configuration.drain.deadline.milliseconds
        plan.pipeLimit = configuration.limits.pipesPerWorker
        renewPlan()
    }

    /// Puts limits into effect that are shared with what was before.
    func applyLimits() {
        for pool in pools { upstream(of: pool).applyLimits() }
        for served in served { listener(of: served).applyLimits() }
    }

    private mutating func keep(_ former: Pool?, as configuration: UpstreamConfiguration) -> Pool {
        if let former, former.configuration == configuration { return former }
        let upstream = Upstream(
            configuration,
            workers: workers,
            former: former.map(upstream(of:))
        )
        let slot = upstreamSlots.take()
        if slot == plan.upstreams.endIndex {
            plan.upstreams.append(upstream)
        } else {
            plan.upstreams[slot] = upstream
        }
        return Pool(configuration: configuration, slot: slot)
    }

    mutating func add(_ listener: Listener) -> Int {
        let slot = listenerSlots.take()
        if slot == plan.listeners.endIndex {
            plan.listeners.append(listener)
        } else {
            plan.listeners[slot] = listener
        }
        return slot
    }

    /// Finds out which slots may be used again: those that no session has.
    ///
    /// It takes that the plan has reached all workers, so that no session can begin in a slot that
    /// has been left.
    private mutating func forgetSlots() {
        for index in served.indices {
            let (kept, free) = served[index].formerSlots.split { plan.listeners[$0].isInUse }
            let tallies = free.map { plan.listeners[$0].tally }
            served[index].past = tallies.reduce(served[index].past, +)
            served[index].formerSlots = kept
        }
        for (slot, _) in left where !plan.listeners[slot].isInUse {
            gone = gone + plan.listeners[slot].tally
        }
        left.removeAll { !plan.listeners[$0.slot].isInUse }
        let slots = left.map(\.slot) + served.flatMap { [$0.slot] + $0.formerSlots }
        listenerSlots = TakenSlots(slots)
        upstreamSlots = TakenSlots(
            pools.map(\.slot) + slots.compactMap { plan.listeners[$0].upstream }
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
#endif
