import Testing

@testable import VerypollServer

@Suite("SearchEffort")
struct SearchEffortTests {
    @Test("the first attempt is no retry")
    func retries() {
        var effort = SearchEffort()
        #expect(effort.retryCount == 0)
        effort.noteAttempt()
        #expect(effort.retryCount == 0)
        effort.noteAttempt()
        effort.noteAttempt()
        #expect(effort.retryCount == 2)
    }

    @Test("waits in the queue add up, also across a restart and when the clock's low half wraps")
    func waits() {
        var effort = SearchEffort(queueTime: 5)
        let now = UInt64(UInt32.max) - 1
        effort.enterQueue(now: now)
        #expect(effort.queueTime(now: now) == 5)
        #expect(effort.queueTime(now: now + 10) == 15)
        #expect(effort.leaveQueue(now: now + 10) == 10)
        #expect(effort.queueTime(now: now + 100) == 15)
        effort.enterQueue(now: now + 100)
        #expect(effort.leaveQueue(now: now + 103) == 3)
        #expect(effort.queueTime(now: now + 103) == 18)
    }
}
