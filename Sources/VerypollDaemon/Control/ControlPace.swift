#if Net && OSExt
/// How much processor time the control socket may take.
///
/// The supervisor's thread shares a processor with a worker, where there are no more than workers,
/// and clients of the control socket must not slow down sessions, however many they are and
/// whatever they send. Who asks now and then is answered at once; who asks without end has a turn
/// now and then.
struct ControlPace {
    /// The share of the time in the long run: with more, the slowest of a hundred sessions takes
    /// longer by what can be measured.
    private static let share = 0.005

    /// What can be used at once after a while without calls.
    private static let burst = Duration.milliseconds(100)

    /// How far a long answer may be in debt, so that the pause after it is not too long.
    private static let deepestDebt = Duration.milliseconds(-5)

    private var credit = Self.burst
    private var updatedAt = ContinuousClock.now

    /// Whether calls have to wait.
    private(set) var isOver = false

    /// When calls need not wait any more, if they have to.
    var resumesAt: ContinuousClock.Instant { updatedAt - credit / Self.share }

    /// Lets credit grow with the time.
    mutating func update(now: ContinuousClock.Instant) {
        credit = min(credit + (now - updatedAt) * Self.share, Self.burst)
        updatedAt = max(now, updatedAt)
        isOver = credit < .zero
    }

    /// Notes that calls took some time.
    mutating func use(_ time: Duration) {
        credit = max(credit - time, Self.deepestDebt)
    }
}
#endif
