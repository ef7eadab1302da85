import Testing

@testable import VerypollServer

@Suite("PauseLog")
struct PauseLogTests {
    @Test("a pause is logged at its beginning, and a second after its end")
    func logsBoth() {
        var log = PauseLog()
        var isLogged = log.begin(now: 5_000)
        #expect(isLogged)
        #expect(log.dueAt == .max)
        log.end(now: 8_200)
        #expect(log.dueAt == 9_200)
        var pause = log.takeEnd(now: 9_199)
        #expect(pause == nil)
        pause = log.takeEnd(now: 9_200)
        #expect(pause == PauseLog.Pause(duration: 3_200, count: 1))
        #expect(log.dueAt == .max)
        isLogged = log.begin(now: 20_000)
        #expect(isLogged)
    }

    @Test("pauses with short breaks are one pause, which is repeated in the log every 10 seconds")
    func joins() {
        var log = PauseLog()
        var logged = 0
        for moment in stride(from: UInt64(0), to: 25_000, by: 100) {
            if log.begin(now: moment) { logged += 1 }
            log.end(now: moment + 50)
            let pause = log.takeEnd(now: moment + 99)
            #expect(pause == nil)
        }
        #expect(logged == 3)
        let pause = log.takeEnd(now: 26_000)
        #expect(pause == PauseLog.Pause(duration: 24_950, count: 250))
    }

    @Test("the end of a pause that was not logged is not logged either")
    func keepsQuiet() {
        var log = PauseLog()
        _ = log.begin(now: 0)
        log.end(now: 10)
        var pause = log.takeEnd(now: 1_010)
        #expect(pause == PauseLog.Pause(duration: 10, count: 1))
        let isLogged = log.begin(now: 2_000)
        #expect(!isLogged)
        log.end(now: 2_010)
        pause = log.takeEnd(now: 4_000)
        #expect(pause == nil)
        #expect(log.dueAt == .max)
    }

    @Test("an acceptor that was never paused has no end to log")
    func staysIdle() {
        var log = PauseLog()
        log.end(now: 5)
        #expect(log.dueAt == .max)
        let pause = log.takeEnd(now: 5_000)
        #expect(pause == nil)
    }
}
