internal import VerypollServer

/// How much processor time the clients of the control socket may take.
///
/// The supervisor's thread shares a processor with a worker, where there are no more processors
/// than workers, and clients of the control socket must not slow down sessions, however many they
/// are and whatever they send. A client that calls now and then is answered at once; one that calls
/// without end is served now and then.
///
/// All clients together have one credit, and each has a credit of its own. Every turn is paid from
/// both, in full. A client whose own credit is used up is not polled until its debt is paid, so
/// that it does not use up the credit of the others. Of the clients that may be served, the one
/// with the most credit is served first.
struct ControlCPUBudget {
    /// The share of a processor in the long run: with more, the slowest of a hundred sessions takes
    /// measurably longer.
    static let share = 0.005

    /// The time that all clients together can use at once after a while without calls.
    static let burst = Duration.milliseconds(100)

    /// The time that one client can use at once.
    static let clientBurst = Duration.milliseconds(20)

    /// The deepest debt of all clients together, so that no pause is longer than 5 s.
    ///
    /// The debt of one client has no bound.
    static let deepestDebt = Duration.milliseconds(25)

    /// The credit that ends a pause: enough for a few short calls, so that pauses are few.
    static let resumption = Duration.microseconds(250)

    private var common: Credit
    /// By slot.
    private var clients: [Credit]

    /// Makes the pace of so many clients at most, none of which has used anything.
    init(slots: Int, now: ContinuousClock.Instant = .now) {
        common = Credit(burst: Self.burst, deepestDebt: Self.deepestDebt, now: now)
        clients = Array(repeating: Credit(burst: Self.clientBurst, now: now), count: slots)
    }

    /// Whether no client may be served.
    var isOver: Bool { common.isOver }

    /// When clients may be served again, if none may be now.
    var resumesAt: ContinuousClock.Instant { common.resumesAt }

    /// Lets the credit of all clients together grow with the time.
    mutating func update(now: ContinuousClock.Instant) { common.update(now: now) }

    /// Whether one client may not be served.
    func isOver(_ slot: Int) -> Bool { clients[slot].isOver }

    /// When a client may be served again, if it may not be now.
    func resumesAt(_ slot: Int) -> ContinuousClock.Instant { clients[slot].resumesAt }

    /// Lets the credit of a client grow with the time; returns what it has.
    mutating func update(_ slot: Int, now: ContinuousClock.Instant) -> Duration {
        clients[slot].update(now: now)
        return clients[slot].amount
    }

    /// Notes that a client has taken some time of the supervisor's thread.
    mutating func use(_ time: Duration, by slot: Int) {
        common.use(time)
        clients[slot].use(time)
    }

    /// Notes that another thread has worked for a client, at a lower priority than the workers.
    mutating func useElsewhere(_ time: Duration, by slot: Int) {
        clients[slot].use(time)
    }

    /// Gives a slot to another client, which has used nothing.
    mutating func reset(_ slot: Int, now: ContinuousClock.Instant) {
        clients[slot] = Credit(burst: Self.clientBurst, now: now)
    }
}

/// An amount of processor time that grows with the time.
struct Credit {
    private let burst: Duration
    private let deepestDebt: Duration?
    private var updatedAt: ContinuousClock.Instant

    /// The time that is left; negative for a debt.
    private(set) var amount: Duration

    /// Whether there was a debt that is not paid yet.
    private(set) var isOver = false

    /// Makes a full credit.
    init(burst: Duration, deepestDebt: Duration? = nil, now: ContinuousClock.Instant) {
        self.burst = burst
        self.deepestDebt = deepestDebt
        updatedAt = now
        amount = burst
    }

    /// When the debt is paid.
    var resumesAt: ContinuousClock.Instant {
        // A nanosecond more, lest rounding makes it too early.
        updatedAt + (ControlCPUBudget.resumption - amount) / ControlCPUBudget.share
            + .nanoseconds(1)
    }

    /// Lets the credit grow with the time.
    mutating func update(now: ContinuousClock.Instant) {
        guard now > updatedAt else { return }
        amount = min(amount + (now - updatedAt) * ControlCPUBudget.share, burst)
        updatedAt = now
        if amount >= ControlCPUBudget.resumption { isOver = false }
    }

    /// Notes that some time was used.
    mutating func use(_ time: Duration) {
        amount -= time
        if let deepestDebt { amount = max(amount, .zero - deepestDebt) }
        if amount < .zero { isOver = true }
    }
}
