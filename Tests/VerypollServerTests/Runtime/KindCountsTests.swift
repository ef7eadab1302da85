import Testing

@testable import VerypollServer

@Suite("KindCounts")
struct KindCountsTests {
    @Test("events are counted by kind, and sums are by kind")
    func counts() {
        var counts = KindCounts<SessionEndCode>()
        counts[.killed] += 2
        counts[.completed] += 1
        let sum = counts + counts

        #expect(sum[.killed] == 4)
        #expect(sum[.completed] == 2)
        #expect(sum[.drained] == 0)
        #expect(sum != counts)
    }

    @Test("published counts are those of the worker")
    func publishes() {
        let shared = SharedKindCounts<SessionEndCode>()
        shared.publish(7, of: .handedOver)
        shared.add(.drained)
        let values = shared.values

        #expect(values[.handedOver] == 7)
        #expect(values[.drained] == 1)
        #expect(values[.killed] == 0)
    }
}
