import Testing

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("ControlCPUBudget")
struct ControlCPUBudgetTests {
    private let start = ContinuousClock.now

    @Test("a client that calls occasionally is not throttled")
    func serves() {
        var cpuBudget = ControlCPUBudget(slots: 1, now: start)
        for round in 1...100 {
            cpuBudget.update(now: start + .seconds(4 * round))
            let credit = cpuBudget.update(0, now: start + .seconds(4 * round))
            #expect(credit == ControlCPUBudget.clientBurst)
            #expect(!cpuBudget.isOver)
            #expect(!cpuBudget.isOver(0))
            cpuBudget.use(.milliseconds(19), by: 0)
        }
    }

    @Test("clients that call nonstop get 0.5% of the CPU time after an initial burst")
    func bounds() {
        var cpuBudget = ControlCPUBudget(slots: 8, now: start)
        var now = start
        var used = Duration.zero
        while now < start + .seconds(10) {
            cpuBudget.update(now: now)
            let credits = (0..<8).map { (slot: $0, credit: cpuBudget.update($0, now: now)) }
            let next = credits.filter { !cpuBudget.isOver($0.slot) }.max { $0.credit < $1.credit }
            if !cpuBudget.isOver, let next {
                cpuBudget.use(.microseconds(100), by: next.slot)
                used += .microseconds(100)
                now += .microseconds(100)
            } else {
                now += .milliseconds(1)
            }
        }
        #expect(used > .milliseconds(140))
        #expect(used < .milliseconds(160))
    }

    @Test("a client pays off its own debt, and other clients are served meanwhile")
    func isolates() {
        var cpuBudget = ControlCPUBudget(slots: 2, now: start)
        cpuBudget.use(.milliseconds(90), by: 0)
        cpuBudget.useElsewhere(.seconds(3), by: 0)
        #expect(cpuBudget.isOver(0))
        #expect(!cpuBudget.isOver)
        #expect(!cpuBudget.isOver(1))
        let debt = Duration.milliseconds(3090) - ControlCPUBudget.clientBurst
        #expect(cpuBudget.resumesAt(0) > start + debt / ControlCPUBudget.share)
        #expect(cpuBudget.resumesAt(0) < start + debt / ControlCPUBudget.share + .milliseconds(51))
        _ = cpuBudget.update(0, now: cpuBudget.resumesAt(0) - .milliseconds(1))
        #expect(cpuBudget.isOver(0))
        _ = cpuBudget.update(0, now: cpuBudget.resumesAt(0))
        #expect(!cpuBudget.isOver(0))
    }

    @Test("a new client does not inherit the debt of its slot")
    func resets() {
        var cpuBudget = ControlCPUBudget(slots: 1, now: start)
        cpuBudget.useElsewhere(.seconds(3), by: 0)
        #expect(cpuBudget.isOver(0))
        cpuBudget.reset(0, now: start)
        #expect(!cpuBudget.isOver(0))
        let credit = cpuBudget.update(0, now: start)
        #expect(credit == ControlCPUBudget.clientBurst)
    }

    @Test("a pause of all clients lasts five seconds at most, and ends at the announced time")
    func resumes() {
        var cpuBudget = ControlCPUBudget(slots: 1, now: start)
        cpuBudget.use(.seconds(60), by: 0)
        cpuBudget.update(now: start)
        #expect(cpuBudget.isOver)
        let end = cpuBudget.resumesAt
        #expect(end > start + .seconds(5))
        #expect(end < start + .milliseconds(5051))
        cpuBudget.update(now: end - .milliseconds(1))
        #expect(cpuBudget.isOver)
        cpuBudget.update(now: end)
        #expect(!cpuBudget.isOver)
    }
}
