import Testing
import Verypoll
import VerypollConfiguration
import VerypollControl

@testable import VerypollDaemon
@testable import VerypollServer

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
        let closing = rollout(.order, missing: 0)
        let text = "an order waits until the former sockets are closed"
        #expect(closing.description(workers: 4) == text)
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
        #expect(rollouts.noteAdoption(of: 7).finished == nil)
        #expect(rollouts.noteAdoption(of: 8).finished == 8)
        #expect(rollouts.noteAdoption(of: 7).finished == 7)
        #expect(rollouts.isEmpty)
        #expect(rollouts.noteAdoption(of: 7).finished == nil)
    }

    @Test("sockets are released after the last worker's adoption, and before the answer")
    func releases() throws {
        let address = try #require(SocketAddress("127.0.0.1:0"))
        let socket = ListeningSocket(
            .tcp(try TCPListener(binding: address)),
            place: .ip(address),
            address: "\(address)",
            worker: nil
        )
        var rollouts = Rollouts()
        rollouts.begin(7, workers: 2, purpose: .order, callers: [], leavingSockets: [socket])
        #expect(rollouts.noteAdoption(of: 7).released == nil)
        #expect(rollouts.noteAdoption(of: 7).released == 1)
        #expect(!rollouts.isEmpty)
        #expect(rollouts.noteRelease(of: 7).finished == 7)
        #expect(rollouts.isEmpty)
        #expect(rollouts.noteRelease(of: 7).finished == nil)
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

extension Rollouts.Step {
    /// The number of the snapshot that is in effect; `nil` if there is none.
    fileprivate var finished: Int? {
        if case .finish(let rollout) = self { rollout.snapshot } else { nil }
    }

    /// The number of sockets to release; `nil` if there are none.
    fileprivate var released: Int? {
        if case .release(let sockets) = self { sockets.count } else { nil }
    }
}
