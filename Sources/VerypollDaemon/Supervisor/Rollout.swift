internal import VerypollControl
internal import VerypollServer

/// A snapshot that not all workers have adopted yet, and the calls that wait for it.
///
/// Every snapshot takes effect eventually, so its callers wait without a time limit. If a worker
/// stalls, the service manager's watchdog ends the daemon. Without a watchdog, the wait lasts until
/// the worker continues.
struct Rollout {
    /// The time within which all workers usually adopt a snapshot.
    static let moment = Duration.seconds(1)

    /// The purpose of a snapshot.
    enum Purpose {
        /// An operator's order, or another change outside of a reload.
        case order
        /// A reload, and its changes.
        case reload(ChangeList)
        /// Stop accepting, because the daemon is idle.
        case idleExit
    }

    /// The number of the snapshot.
    let snapshot: Int
    let purpose: Purpose
    let startedAt: ContinuousClock.Instant
    /// The number of workers that have not adopted the snapshot yet.
    var missing: Int
    /// The calls to answer once the snapshot is in effect.
    var callers: [CallID]

    /// Returns what the rollout waits for, in words for the operator.
    func description(workers: Int) -> String {
        let what = if case .reload = purpose { "the reload" } else { "an order" }
        return "\(what) waits for \(missing) of \(workers) workers"
    }
}

/// The rollouts in progress, in the order in which they began.
struct Rollouts {
    private var all: [Rollout] = []

    /// Whether no rollout is in progress.
    var isEmpty: Bool { all.isEmpty }

    /// Notes that a snapshot is sent to this many workers.
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
    /// - Returns: The rollout, once all workers have adopted the snapshot; `nil` before.
    mutating func noteAdoption(of snapshot: Int) -> Rollout? {
        guard let index = all.firstIndex(where: { $0.snapshot == snapshot }) else { return nil }
        all[index].missing -= 1
        return all[index].missing == 0 ? all.remove(at: index) : nil
    }

    /// Returns a note about the oldest rollout, in words for the operator; `nil` if it is not late.
    func note(workers: Int, now: ContinuousClock.Instant = .now) -> String? {
        guard let rollout = all.first, rollout.startedAt <= now - Rollout.moment else { return nil }
        return rollout.description(workers: workers)
    }
}
