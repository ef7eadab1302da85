#if Net && OSExt
internal import Varlink
internal import VerypollControl

/// A plan that is on its way to the workers, and who waits for it.
struct Rollout {
    /// How long those who wait do so.
    static let patience = Duration.seconds(5)

    /// What it is for.
    enum Purpose {
        /// An operator's order.
        case order
        /// Another configuration, and what that changes.
        case reload(ChangeList)
        /// To stop accepting, as nobody has come for so long.
        case idleExit
    }

    /// The number of the plan.
    let plan: Int
    let purpose: Purpose
    /// The workers that have not taken it up yet.
    var missing: Int
    /// The calls that wait for it.
    var callers: [ControlTicket]
    /// When those are told that it takes too long; `nil` if there are none.
    var dueAt: ContinuousClock.Instant?
}

extension Supervisor {
    /// Sends the roster's plan to the workers.
    func rollOut(_ purpose: Rollout.Purpose, for callers: [ControlTicket] = []) {
        rollouts.append(
            Rollout(
                plan: roster.plan.number,
                purpose: purpose,
                missing: workers.count,
                callers: callers,
                dueAt: callers.isEmpty ? nil : .now + Rollout.patience
            )
        )
        workers.post(.adopt(roster.plan))
    }

    /// Notes that a worker has taken a plan up; with the last one it is in effect.
    func finishRollout(of plan: Int) {
        guard let index = rollouts.firstIndex(where: { $0.plan == plan }) else { return }
        rollouts[index].missing -= 1
        guard rollouts[index].missing == 0 else { return }
        let rollout = rollouts.remove(at: index)
        switch rollout.purpose {
        case .order:
            for ticket in rollout.callers {
                control.complete(ticket, with: Result<_, VarlinkError>.success(NoParameters()))
            }
        case .reload(let changes): finishReload(changes, for: rollout.callers)
        case .idleExit: isIdleAndClosed = true
        }
    }

    /// Tells those who have waited too long; the plan is taken up all the same.
    func expireRollouts(_ now: ContinuousClock.Instant) {
        for index in rollouts.indices {
            guard let due = rollouts[index].dueAt, due <= now else { continue }
            rollouts[index].dueAt = nil
            for ticket in rollouts[index].callers {
                control.complete(ticket, with: Result<NoParameters, VarlinkError>.failure(.busy))
            }
            rollouts[index].callers = []
        }
    }
}
#endif
