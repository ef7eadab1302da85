internal import Varlink
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

extension Supervisor {
    /// Sends the live snapshot to the workers.
    func rollOut(_ purpose: Rollout.Purpose, for callers: [CallID] = []) {
        rollouts.append(
            Rollout(
                snapshot: live.snapshot.number,
                purpose: purpose,
                startedAt: .now,
                missing: workers.count,
                callers: callers
            )
        )
        workers.post(.adopt(live.snapshot))
    }

    /// When sockets that have given way to others close next, if a snapshot can be sent then.
    var retirementDueAt: ContinuousClock.Instant? {
        guard rollouts.isEmpty, case .running = phase else { return nil }
        return live.retirementEndsAt
    }

    /// Has the workers close the sockets that have given way to others for long enough.
    func endRetirement(_ now: ContinuousClock.Instant) {
        guard let due = retirementDueAt, due <= now else { return }
        live.endRetirement(now: now)
        rollOut(.order)
    }

    /// Notes that a worker has taken a snapshot up; with the last one it is in effect.
    func finishRollout(of snapshot: Int) {
        guard let index = rollouts.firstIndex(where: { $0.snapshot == snapshot }) else { return }
        rollouts[index].missing -= 1
        guard rollouts[index].missing == 0 else { return }
        let rollout = rollouts.remove(at: index)
        switch rollout.purpose {
        case .order:
            for callID in rollout.callers {
                control.complete(callID, with: Result<_, VarlinkError>.success(NoParameters()))
            }
        case .reload(let changes): finishReload(changes, for: rollout.callers)
        case .idleExit: isIdleAndClosed = true
        }
    }

    /// Says, for people, that snapshots have not reached all workers for longer than a moment.
    var rolloutNotes: [String] {
        guard let rollout = rollouts.first, rollout.startedAt <= .now - Rollout.moment else {
            return []
        }
        return [rollout.description(workers: workers.count)]
    }
}
