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
    private var takenListenerSlots: Set<Int> = []
    private var takenUpstreamSlots: Set<Int> = []

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
        var former = served
        let formerPools = pools
        pools = []
        for upstream in configuration.upstreams {
            let same = formerPools.first { $0.configuration.name == upstream.name }
            pools.append(keep(same, as: upstream))
        }
        served = []
        let window = DrainWindow(
            from: MonotonicClock.milliseconds(),
            lasting: configuration.drain.deadline.milliseconds
        )
        var free = FreeSockets(spareSockets, former, keptBy: configuration.listeners)
        // All have what they keep before anything is bound, so that one knows what gives way.
        var drafts: [Draft] = []
        for listener in configuration.listeners {
            let index = former.firstIndex { $0.name == listener.name }
            let same = index.map { former.remove(at: $0) }
            drafts.append(try draft(same, as: listener, &free, exchange))
        }
        let rest = free.takeRest()
        spareSockets = rest.passed
        exchange.offer(rest.own + retiring.map(\.socket))
        exchange.noteActivated(rest.passed + drafts.flatMap(\.kept))
        for draft in drafts { served.append(try finish(draft, exchange, &passed)) }
        retire(exchange)
        left += former.flatMap { [$0.slot] + $0.formerSlots }.map { ($0, window) }
        gone = former.map(\.past).reduce(gone, +)
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
        let slot =
            plan.upstreams.indices.first { !takenUpstreamSlots.contains($0) }
            ?? plan.upstreams.endIndex
        takenUpstreamSlots.insert(slot)
        if slot == plan.upstreams.endIndex {
            plan.upstreams.append(upstream)
        } else {
            plan.upstreams[slot] = upstream
        }
        return Pool(configuration: configuration, slot: slot)
    }

    mutating func add(_ listener: Listener) -> Int {
        let slot =
            plan.listeners.indices.first { !takenListenerSlots.contains($0) }
            ?? plan.listeners.endIndex
        takenListenerSlots.insert(slot)
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
        takenListenerSlots = Set(
            left.map(\.slot) + served.flatMap { [$0.slot] + $0.formerSlots }
        )
        takenUpstreamSlots = Set(
            pools.map(\.slot) + takenListenerSlots.compactMap { plan.listeners[$0].upstream }
        )
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
