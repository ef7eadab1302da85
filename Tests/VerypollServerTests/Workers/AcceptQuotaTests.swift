import Testing

@testable import VerypollServer

@Suite("AcceptQuota")
struct AcceptQuotaTests {
    /// Runs a round on a backlog of this many connections; returns the number of accept calls.
    private func calls(_ quota: inout AcceptQuota, turn: UInt64, backlog: Int) -> Int {
        let count = quota.begin(turn: turn)
        if backlog < count {
            quota.findEmpty(after: backlog)
            return backlog + 1
        }
        quota.fill(turn: turn)
        return count
    }

    @Test("the first round takes one connection without a wasted call")
    func beginsSmall() {
        var quota = AcceptQuota()
        #expect(calls(&quota, turn: 5, backlog: 1) == 1)
    }

    @Test("while the backlog is not empty, the quota doubles from turn to turn, up to 32")
    func doubles() {
        var quota = AcceptQuota()
        let taken = (1...8).map { calls(&quota, turn: $0, backlog: 1_000) }
        #expect(taken == [1, 2, 4, 8, 16, 32, 32, 32])
    }

    @Test("a round that empties the backlog sets the quota to the number of its connections")
    func fits() {
        var quota = AcceptQuota()
        for turn: UInt64 in 1...3 { _ = calls(&quota, turn: turn, backlog: 1_000) }
        #expect(calls(&quota, turn: 4, backlog: 5) == 6)
        #expect(quota.count == 5)
        // The same number arrives in later turns: no call is wasted.
        for turn: UInt64 in [6, 8, 10] { #expect(calls(&quota, turn: turn, backlog: 5) == 5) }
        #expect(calls(&quota, turn: 12, backlog: 0) == 1)
        #expect(quota.count == 1)
    }

    @Test("a used-up quota does not grow if the next turn has no round")
    func staysAfterPause() {
        var quota = AcceptQuota()
        #expect(calls(&quota, turn: 1, backlog: 1) == 1)
        #expect(calls(&quota, turn: 3, backlog: 1) == 1)
        #expect(calls(&quota, turn: 4, backlog: 2) == 2)
        #expect(calls(&quota, turn: 6, backlog: 2) == 2)
    }

    @Test("an interrupted round does not change the quota")
    func survivesPause() {
        var quota = AcceptQuota()
        for turn: UInt64 in 1...3 { _ = calls(&quota, turn: turn, backlog: 1_000) }
        #expect(quota.begin(turn: 4) == 8)  // The worker has too many sessions, and stops.
        #expect(quota.begin(turn: 5) == 8)
    }
}
