import Testing

@testable import VerypollDaemon

@Suite("Watchdog")
struct WatchdogTests {
    @Test("the service manager is notified only after every worker has answered")
    func waitsForAll() {
        let start = ContinuousClock.now
        var watchdog = Watchdog(interval: .seconds(10), now: start)
        #expect(watchdog.isDue(start, workers: 3) == true)
        #expect(watchdog.answer(of: 0) == false)
        #expect(watchdog.answer(of: 0) == false)
        #expect(watchdog.answer(of: 2) == false)
        #expect(watchdog.isDue(start + .seconds(5), workers: 3) == false)
        #expect(watchdog.answer(of: 1) == true)
        #expect(watchdog.answer(of: 1) == false)
    }

    @Test("workers are asked twice within the interval")
    func asksTwice() {
        let start = ContinuousClock.now
        var watchdog = Watchdog(interval: .seconds(10), now: start)
        #expect(watchdog.isDue(start, workers: 1) == true)
        #expect(watchdog.answer(of: 0) == true)
        #expect(watchdog.isDue(start + .seconds(4), workers: 1) == false)
        #expect(watchdog.dueAt == start + .seconds(5))
        #expect(watchdog.isDue(start + .seconds(5), workers: 1) == true)
    }
}
