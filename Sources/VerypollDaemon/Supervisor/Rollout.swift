internal import VerypollControl
internal import VerypollServer

/// A snapshot that is on its way to the workers, and who waits for it.
///
/// The snapshot takes effect for certain, so its callers wait until it has, however long that is.
/// If a worker is stalled, the watchdog of the service manager ends the daemon; without one, the
/// wait ends when the worker goes on.
struct Rollout {
    /// The time that a snapshot usually takes at most.
    static let moment = Duration.seconds(1)

    /// What it is for.
    enum Purpose {
        /// An operator's order.
        case order
        /// Another configuration, and what that changes.
        case reload(ChangeList)
        /// To stop accepting, as nobody has come for so long.
        case idleExit
    }

    /// The number of the snapshot.
    let snapshot: Int
    let purpose: Purpose
    let startedAt: ContinuousClock.Instant
    /// The workers that have not taken it up yet.
    var missing: Int
    /// The calls that wait for it.
    var callers: [CallID]

    /// What an operator is told who waits, or sees that somebody does.
    func description(workers: Int) -> String {
        let what = if case .reload = purpose { "the reload" } else { "an order" }
        return "\(what) waits for \(missing) of \(workers) workers"
    }
}

/// The rollouts under way, in the order in which they began.
struct Rollouts {
    private var all: [Rollout] = []

    /// Whether none is under way.
    var isEmpty: Bool { all.isEmpty }

    /// Notes that a snapshot is sent to so many workers.
    mutating func begin(
        _ snapshot: Int,
        workers: Int,
        purpose: Rollout.Purpose,
        callers: [CallID],
        now: ContinuousClock.Instant = .now
    ) {
        all.append(
            Rollout(
                snapshot: snapshot,
                purpose: purpose,
                startedAt: now,
                missing: workers,
                callers: callers
            )
        )
    }

    /// Notes that a worker has adopted a snapshot.
    ///
    /// - Returns: The rollout, once all workers have: it is in effect then.
    mutating func noteAdoption(of snapshot: Int) -> Rollout? {
        guard let index = all.firstIndex(where: { $0.snapshot == snapshot }) else { return nil }
        all[index].missing -= 1
        return all[index].missing == 0 ? all.remove(at: index) : nil
    }

    /// Says, for people, that a snapshot has not reached all workers for longer than a moment;
    /// `nil` if none is so late.
    func note(workers: Int, now: ContinuousClock.Instant = .now) -> String? {
        guard let rollout = all.first, rollout.startedAt <= now - Rollout.moment else { return nil }
        return rollout.description(workers: workers)
    }
}
