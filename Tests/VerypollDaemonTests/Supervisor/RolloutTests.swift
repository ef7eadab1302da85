import Testing
import VerypollControl

@testable import VerypollDaemon

@Suite("Rollout")
struct RolloutTests {
    private func rollout(_ purpose: Rollout.Purpose, missing: Int) -> Rollout {
        Rollout(snapshot: 1, purpose: purpose, startedAt: .now, missing: missing, callers: [])
    }

    @Test("an operator reads what is waiting, and for how many workers")
    func describes() {
        let reload = rollout(.reload(ChangeList(changes: [])), missing: 1)
        #expect(reload.description(workers: 4) == "the reload waits for 1 of 4 workers")
        let order = rollout(.order, missing: 3)
        #expect(order.description(workers: 4) == "an order waits for 3 of 4 workers")
    }
}
