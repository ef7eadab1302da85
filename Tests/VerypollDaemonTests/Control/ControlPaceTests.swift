#if Net && OSExt
import Testing

@testable import VerypollDaemon

@Suite("Control pace")
struct ControlPaceTests {
    @Test("who asks now and then does not wait")
    func lets() {
        var pace = ControlPace()
        let start = ContinuousClock.now
        for round in 1...100 {
            pace.update(now: start + .seconds(2 * round))
            #expect(!pace.isOver)
            pace.use(.milliseconds(95))
        }
    }

    @Test("who asks without end gets a two-hundredth of the time, after a while at full speed")
    func bounds() {
        var pace = ControlPace()
        let start = ContinuousClock.now
        var now = start + .seconds(1)
        var used = Duration.zero
        while now < start + .seconds(11) {
            pace.update(now: now)
            if pace.isOver {
                now += .milliseconds(1)
            } else {
                pace.use(.microseconds(100))
                used += .microseconds(100)
                now += .microseconds(100)
            }
        }
        #expect(used > .milliseconds(140))
        #expect(used < .milliseconds(160))
    }

    @Test("after a long answer, the pause has an end, which is known")
    func resumes() {
        var pace = ControlPace()
        let start = ContinuousClock.now
        let now = start + .seconds(1)
        pace.update(now: now)
        pace.use(.seconds(5))
        pace.update(now: now)
        #expect(pace.isOver)
        let end = pace.resumesAt
        #expect(end <= now + .milliseconds(1001))
        pace.update(now: end + .microseconds(1))
        #expect(!pace.isOver)
    }
}
#endif
