import Testing

@testable import VerypollDaemon

@Suite("Phases of the daemon")
struct LifecycleTests {
    private let end = ContinuousClock.now + .seconds(10)

    private func running() -> Lifecycle {
        var life = Lifecycle(workers: 2)
        for _ in 0..<2 { _ = life.notePrepared() }
        life.begin()
        for _ in 0..<2 { _ = life.noteStarted() }
        life.becomeReady()
        return life
    }

    @Test("the daemon starts once all workers are prepared, and is ready once all accept")
    func starts() {
        var life = Lifecycle(workers: 2)
        #expect(life.phase == .starting)
        #expect(life.notePrepared() == .wait)
        #expect(life.notePrepared() == .begin)
        life.begin()
        #expect(life.noteStarted() == .wait)
        #expect(life.noteStarted() == .becomeReady)
        #expect(!life.isRunning)
        life.becomeReady()
        #expect(life.isRunning)
        #expect(life.deadline == nil)
    }

    @Test("a signal before the workers are prepared keeps the daemon from starting")
    func stopsBeforeItStarts() {
        var life = Lifecycle(workers: 2)
        #expect(life.notePrepared() == .wait)
        life.drain(until: end)
        #expect(life.notePrepared() == .wait)
        #expect(life.noteStarted() == .wait)
        #expect(life.phase == .draining(until: end))
    }

    @Test("a drain ends when the last worker has no session left")
    func drains() {
        var life = running()
        life.drain(until: end)
        #expect(!life.isRunning)
        #expect(life.deadline == end)
        #expect(life.noteEmpty() == .wait)
        #expect(life.noteEmpty() == .stop)
    }

    @Test("a stop ends when the last worker has ended, and late reports are ignored")
    func stops() {
        var life = running()
        life.drain(until: end)
        #expect(life.noteEmpty() == .wait)
        life.stop(until: end)
        #expect(life.noteEmpty() == .wait)
        #expect(life.noteEnded() == .wait)
        #expect(!life.isOver)
        #expect(life.noteEnded() == .end)
        #expect(life.isOver)
    }

    @Test("a worker that ends while the daemon runs does not end the daemon")
    func ignoresUnasked() {
        var life = running()
        #expect(life.noteEnded() == .wait)
        #expect(life.noteEmpty() == .wait)
        #expect(life.isRunning)
        #expect(!life.isOver)
    }
}
