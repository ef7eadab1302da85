#if Net && OSExt
import Testing

@testable import VerypollDaemon

@Suite("Control pace")
struct ControlPaceTests {
    private let start = ContinuousClock.now

    @Test("a client that calls now and then does not wait")
    func serves() {
        var pace = ControlPace(slots: 1, now: start)
        for round in 1...100 {
            pace.update(now: start + .seconds(4 * round))
            let credit = pace.update(0, now: start + .seconds(4 * round))
            #expect(credit == ControlPace.clientBurst)
            #expect(!pace.isOver)
            #expect(!pace.isOver(0))
            pace.use(.milliseconds(19), by: 0)
        }
    }

    @Test("clients that call without end get a two-hundredth of the time, after the first burst")
    func bounds() {
        var pace = ControlPace(slots: 8, now: start)
        var now = start
        var used = Duration.zero
        while now < start + .seconds(10) {
            pace.update(now: now)
            let credits = (0..<8).map { (slot: $0, credit: pace.update($0, now: now)) }
            let next = credits.filter { !pace.isOver($0.slot) }.max { $0.credit < $1.credit }
            if !pace.isOver, let next {
                pace.use(.microseconds(100), by: next.slot)
                used += .microseconds(100)
                now += .microseconds(100)
            } else {
                now += .milliseconds(1)
            }
        }
        #expect(used > .milliseconds(140))
        #expect(used < .milliseconds(160))
    }

    @Test("one client's debt is paid by it in full, and the others are served meanwhile")
    func isolates() {
        var pace = ControlPace(slots: 2, now: start)
        pace.use(.milliseconds(90), by: 0)
        pace.useElsewhere(.seconds(3), by: 0)
        #expect(pace.isOver(0))
        #expect(!pace.isOver)
        #expect(!pace.isOver(1))
        let debt = Duration.milliseconds(3090) - ControlPace.clientBurst
        #expect(pace.resumesAt(0) > start + debt / ControlPace.share)
        #expect(pace.resumesAt(0) < start + debt / ControlPace.share + .milliseconds(51))
        _ = pace.update(0, now: pace.resumesAt(0) - .milliseconds(1))
        #expect(pace.isOver(0))
        _ = pace.update(0, now: pace.resumesAt(0))
        #expect(!pace.isOver(0))
    }

    @Test("another client in the slot of one in debt has no debt")
    func resets() {
        var pace = ControlPace(slots: 1, now: start)
        pace.useElsewhere(.seconds(3), by: 0)
        #expect(pace.isOver(0))
        pace.reset(0, now: start)
        #expect(!pace.isOver(0))
        let credit = pace.update(0, now: start)
        #expect(credit == ControlPace.clientBurst)
    }

    @Test("a pause of all clients lasts five seconds at most, and its end is known")
    func resumes() {
        var pace = ControlPace(slots: 1, now: start)
        pace.use(.seconds(60), by: 0)
        pace.update(now: start)
        #expect(pace.isOver)
        let end = pace.resumesAt
        #expect(end > start + .seconds(5))
        #expect(end < start + .milliseconds(5051))
        pace.update(now: end - .milliseconds(1))
        #expect(pace.isOver)
        pace.update(now: end)
        #expect(!pace.isOver)
    }
}
#endif
