import Testing
import VerypollControl

@testable import VerypollDaemon

@Suite("ReloadHistory")
struct ReloadHistoryTests {
    @Test("before the first reload, the configuration of the start counts as applied")
    func start() {
        let history = ReloadHistory(startedAt: 5)

        #expect(history.last == nil)
        #expect(history.isLastApplied)
        #expect(history.lastAt == 5)
        #expect(history.appliedAt == 5)
    }

    @Test("a refused reload keeps the time at which the present configuration was applied")
    func refusal() {
        var history = ReloadHistory(startedAt: 5)
        history.noteApplied(changes: 2, at: 7)
        #expect(history.last == Status.LastReload(timestampUSec: 7, changes: 2))
        history.noteRefused(problems: 3, at: 9)

        #expect(history.last == Status.LastReload(timestampUSec: 9, problems: 3))
        #expect(!history.isLastApplied)
        #expect(history.lastAt == 9)
        #expect(history.appliedAt == 7)
        #expect(history.appliedCount == 1)
        #expect(history.refusedCount == 1)
    }
}
