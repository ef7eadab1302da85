import Testing
import VerypollControl

@testable import VerypollDaemon

@Suite("Rollout")
struct RolloutTests {
    private func rollout(_ purpose: Rollout.Purpose, missing: Int) -> Rollout {
        Rollout(snapshot: 1, purpose: purpose, startedAt: .now, missing: missing, callers: [])
    }

    @Test("the status names the change that waits, and for how many workers")
    func describes() {
        let reload = rollout(.reload(ChangeList(changes: [])), missing: 1)
        #expect(reload.description(workers: 4) == "the reload waits for 1 of 4 workers")
        let order = rollout(.order, missing: 3)
        #expect(order.description(workers: 4) == "an order waits for 3 of 4 workers")
    }
}

@Suite("Rollouts")
struct RolloutsTests {
    @Test("a rollout is complete once its last worker has adopted the snapshot, and not before")
    func ends() {
        var rollouts = Rollouts()
        #expect(rollouts.isEmpty)
        rollouts.begin(7, workers: 2, purpose: .order, callers: [])
        rollouts.begin(8, workers: 1, purpose: .idleExit, callers: [])
        #expect(rollouts.noteAdoption(of: 7)?.snapshot == nil)
        #expect(rollouts.noteAdoption(of: 8)?.snapshot == 8)
        #expect(rollouts.noteAdoption(of: 7)?.snapshot == 7)
        #expect(rollouts.isEmpty)
        #expect(rollouts.noteAdoption(of: 7)?.snapshot == nil)
    }

    @Test("only a rollout that takes longer than a moment is reported")
    func notesLateOnes() {
        var rollouts = Rollouts()
        let now = ContinuousClock.now
        rollouts.begin(7, workers: 2, purpose: .order, callers: [], now: now)
        #expect(rollouts.note(workers: 2, now: now) == nil)
        let note = rollouts.note(workers: 2, now: now + Rollout.moment)
        #expect(note == "an order waits for 2 of 2 workers")
    }
}
