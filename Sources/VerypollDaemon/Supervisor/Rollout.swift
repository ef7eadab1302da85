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
        /// Other servers that services have named.
        case discovery
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
    /// The sockets that the snapshot no longer has, to be released once no worker uses them.
    var leavingSockets: [ListeningSocket] = []

    /// Returns what the rollout waits for, in words for the operator.
    func description(workers: Int) -> String {
        let what =
            switch purpose {
            case .reload: "the reload"
            case .discovery: "a change of discovered servers"
            case .order, .idleExit: "an order"
            }
        if missing == 0 { return "\(what) waits until the former sockets are closed" }
        return "\(what) waits for \(missing) of \(workers) workers"
    }
}

/// The rollouts in progress, in the order in which they began.
struct Rollouts {
    /// The next step of a rollout.
    enum Step {
        /// Wait for other workers.
        case wait
        /// Release these sockets, which may take long, and then call ``noteRelease(of:)``.
        case release([ListeningSocket])
        /// The snapshot is in effect.
        case finish(Rollout)
    }

    private var all: [Rollout] = []

    /// Whether no rollout is in progress.
    var isEmpty: Bool { all.isEmpty }

    /// Notes that a snapshot is sent to this many workers.
    mutating func begin(
        _ snapshot: Int,
        workers: Int,
        purpose: Rollout.Purpose,
        callers: [CallID],
        leavingSockets: [ListeningSocket] = [],
        now: ContinuousClock.Instant = .now
    ) {
        all.append(
            Rollout(
                snapshot: snapshot,
                purpose: purpose,
                startedAt: now,
                missing: workers,
                callers: callers,
                leavingSockets: leavingSockets
            )
        )
    }

    /// Notes that a worker has adopted a snapshot.
    mutating func noteAdoption(of snapshot: Int) -> Step {
        guard let index = all.firstIndex(where: { $0.snapshot == snapshot }) else { return .wait }
        all[index].missing -= 1
        guard all[index].missing == 0 else { return .wait }
        guard all[index].leavingSockets.isEmpty else {
            defer { all[index].leavingSockets = [] }
            return .release(all[index].leavingSockets)
        }
        return .finish(all.remove(at: index))
    }

    /// Notes that the sockets that a snapshot no longer has are released.
    mutating func noteRelease(of snapshot: Int) -> Step {
        guard let index = all.firstIndex(where: { $0.snapshot == snapshot }) else { return .wait }
        return .finish(all.remove(at: index))
    }

    /// Returns a note about the oldest rollout, in words for the operator; `nil` if it is not late.
    func note(workers: Int, now: ContinuousClock.Instant = .now) -> String? {
        guard let rollout = all.first, rollout.startedAt <= now - Rollout.moment else { return nil }
        return rollout.description(workers: workers)
    }
}
