internal import VerypollServer

/// The processor time that the clients of the control socket may use.
///
/// If there are no more processors than workers, the supervisor's thread shares a processor with a
/// worker. The clients of the control socket must not slow down sessions, regardless of their
/// number and of what they send. A client that calls occasionally is answered immediately. A client
/// that calls constantly is throttled.
///
/// All clients share a common credit, and each client has its own credit. Every turn is charged to
/// both in full. A client that has used up its own credit is not polled until its debt is paid, so
/// that it cannot use up the common credit. Of the clients that may be served, the one with the
/// most credit is served first.
struct ControlCPUBudget {
    /// The long-term share of a processor.
    ///
    /// A larger share would measurably slow down the slowest of a hundred sessions.
    static let share = 0.005

    /// The time that all clients together can use without a pause after an idle period.
    static let burst = Duration.milliseconds(100)

    /// The time that one client can use without a pause.
    static let clientBurst = Duration.milliseconds(20)

    /// The largest debt of all clients together, which limits a pause to 5 s.
    ///
    /// The debt of a single client is not limited.
    static let deepestDebt = Duration.milliseconds(25)

    /// The credit at which a pause ends.
    ///
    /// It covers a few short calls, so that there are few pauses.
    static let resumption = Duration.microseconds(250)

    private var common: Credit
    /// The credits of the clients, by slot.
    private var clients: [Credit]

    /// Creates a budget with full credits for up to `slots` clients.
    init(slots: Int, now: ContinuousClock.Instant = .now) {
        common = Credit(burst: Self.burst, deepestDebt: Self.deepestDebt, now: now)
        clients = Array(repeating: Credit(burst: Self.clientBurst, now: now), count: slots)
    }

    /// Whether no client may be served.
    var isOver: Bool { common.isOver }

    /// The time at which clients may be served again, if none may be served now.
    var resumesAt: ContinuousClock.Instant { common.resumesAt }

    /// Increases the common credit by the clients' share of the time that has passed.
    mutating func update(now: ContinuousClock.Instant) { common.update(now: now) }

    /// Returns whether a client may not be served.
    func isOver(_ slot: Int) -> Bool { clients[slot].isOver }

    /// Returns the time at which a client may be served again, if it may not be served now.
    func resumesAt(_ slot: Int) -> ContinuousClock.Instant { clients[slot].resumesAt }

    /// Increases the credit of a client by its share of the time that has passed, and returns the
    /// credit.
    mutating func update(_ slot: Int, now: ContinuousClock.Instant) -> Duration {
        clients[slot].update(now: now)
        return clients[slot].amount
    }

    /// Charges a client for time on the supervisor's thread.
    mutating func use(_ time: Duration, by slot: Int) {
        common.use(time)
        clients[slot].use(time)
    }

    /// Charges a client for time on another thread, which runs at a lower priority than the
    /// workers.
    mutating func useElsewhere(_ time: Duration, by slot: Int) {
        clients[slot].use(time)
    }

    /// Resets the credit of a slot for a new client.
    mutating func reset(_ slot: Int, now: ContinuousClock.Instant) {
        clients[slot] = Credit(burst: Self.clientBurst, now: now)
    }
}

/// A credit of processor time, which grows as time passes.
struct Credit {
    private let burst: Duration
    private let deepestDebt: Duration?
    private var updatedAt: ContinuousClock.Instant

    /// The remaining time; negative if there is a debt.
    private(set) var amount: Duration

    /// Whether a debt is not paid yet.
    private(set) var isOver = false

    /// Creates a full credit.
    init(burst: Duration, deepestDebt: Duration? = nil, now: ContinuousClock.Instant) {
        self.burst = burst
        self.deepestDebt = deepestDebt
        updatedAt = now
        amount = burst
    }

    /// The time at which the debt is paid.
    var resumesAt: ContinuousClock.Instant {
        // Add a nanosecond, so that rounding does not make the time too early.
        updatedAt + (ControlCPUBudget.resumption - amount) / ControlCPUBudget.share
            + .nanoseconds(1)
    }

    /// Increases the credit by the share of the time that has passed.
    mutating func update(now: ContinuousClock.Instant) {
        guard now > updatedAt else { return }
        amount = min(amount + (now - updatedAt) * ControlCPUBudget.share, burst)
        updatedAt = now
        if amount >= ControlCPUBudget.resumption { isOver = false }
    }

    /// Subtracts time that was used.
    mutating func use(_ time: Duration) {
        amount -= time
        if let deepestDebt { amount = max(amount, .zero - deepestDebt) }
        if amount < .zero { isOver = true }
    }
}
