import Testing

@testable import VerypollDaemon

@Suite("IdleWatch")
struct IdleWatchTests {
    private let start = ContinuousClock.now

    private func isDue(
        _ watch: inout IdleWatch,
        active: Int = 0,
        accepted: UInt64 = 5,
        limit: Duration? = .seconds(10),
        at second: Int
    ) -> Bool {
        watch.isDue(
            active: active,
            accepted: accepted,
            limit: limit,
            now: start + .seconds(second)
        )
    }

    @Test("the daemon may exit after the whole limit without a session")
    func waits() {
        var watch = IdleWatch()
        // The first check only records how many connections there were.
        let answers = [0, 1, 10, 11].map { isDue(&watch, at: $0) }
        #expect(answers == [false, false, false, true])
    }

    @Test("a session, even one between two checks, restarts the idle time")
    func beginsAnew() {
        var watch = IdleWatch()
        _ = [0, 1].map { isDue(&watch, at: $0) }
        let isDueWithSession = isDue(&watch, active: 1, accepted: 6, at: 12)
        #expect(!isDueWithSession)
        let isDueAfterIt = [13, 22].map { isDue(&watch, accepted: 6, at: $0) }
        #expect(isDueAfterIt == [false, false])
        let isDueAfterShortOne = isDue(&watch, accepted: 7, at: 23)
        #expect(!isDueAfterShortOne)
        let answers = [24, 33, 34].map { isDue(&watch, accepted: 7, at: $0) }
        #expect(answers == [false, false, true])
    }

    @Test("without a limit the daemon never exits, and a new limit counts from its setting")
    func needsLimit() {
        var watch = IdleWatch()
        let answers = [0, 1, 1000].map { isDue(&watch, limit: nil, at: $0) }
        #expect(answers == [false, false, false])
        let limited = [1001, 1010, 1011].map { isDue(&watch, at: $0) }
        #expect(limited == [false, false, true])
    }
}
