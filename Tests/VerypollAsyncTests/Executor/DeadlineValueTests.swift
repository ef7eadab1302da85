import Testing
import VerypollAsync

@Suite("Deadline") struct DeadlineValueTests {
    @Test("a deadline and an instant of the continuous clock stand for the same time")
    func convertsInstants() {
        let before = Deadline.now
        let instant = ContinuousClock.now
        let after = Deadline.now
        #expect(before <= Deadline(instant) && Deadline(instant) <= after + .nanoseconds(1))
        let deadline = Deadline.now + .seconds(5)
        #expect(Deadline(deadline.instant) == deadline)
        #expect(Deadline(ContinuousClock.now - .seconds(1 << 40)) < .now)
        #expect(Deadline(ContinuousClock.now + .seconds(1 << 40)) == .never)
    }

    @Test("fractions of a nanosecond are rounded up, so that no wait ends early")
    func roundsUp() {
        let now = Deadline.now
        #expect(
            now + Duration(secondsComponent: 0, attosecondsComponent: 1) == now + .nanoseconds(1)
        )
        #expect(now + .nanoseconds(1) - now == .nanoseconds(1))
        #expect(now - Duration(secondsComponent: 0, attosecondsComponent: 1) == now)
        #expect(now - .seconds(3) + .seconds(3) == now)
    }

    @Test("never stays never, and times that are too late are never")
    func saturates() {
        #expect(Deadline.never - .seconds(10) == .never)
        #expect(Deadline.now + .seconds(Int64.max) == .never)
        #expect(Deadline.now + .seconds(1) < .never)
        #expect(Deadline.now - .seconds(Int64.max) <= .now)
    }
}
