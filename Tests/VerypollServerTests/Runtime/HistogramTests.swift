import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Histogram")
struct HistogramTests {
    private func counts<Scale>(_ histogram: Histogram<Scale>) -> [UInt64] {
        histogram.counts.indices.map { histogram.counts[$0] }
    }

    @Test("a value is counted in the first bucket whose bound it does not exceed")
    func sorts() {
        var histogram = Histogram<ConnectTime>()
        for value: UInt64 in [0, 100, 101, 250, 10_000_000, 10_000_001, 1 << 60] {
            histogram.add(microseconds: value)
        }
        var expected = [UInt64](repeating: 0, count: 16)
        expected[0] = 2
        expected[1] = 2
        expected[14] = 1
        expected[15] = 2
        #expect(counts(histogram) == expected)
        #expect(histogram.count == 7)
        #expect(histogram.sum == 451 + 20_000_001 + 1 << 60)
    }

    @Test("the bounds ascend to 10 seconds for connecting and to an hour for sessions")
    func ascends() {
        let connects = ConnectTime.bounds.indices.map { ConnectTime.bounds[$0] }
        let sessions = SessionTime.bounds.indices.map { SessionTime.bounds[$0] }
        for bounds in [connects, sessions] {
            #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
        }
        #expect(connects.first == 100 && connects.last == 10_000_000)
        #expect(sessions.first == 1_000 && sessions.last == 3_600_000_000)
    }

    @Test("the sum of two histograms has the values of both")
    func adds() {
        var first = Histogram<SessionTime>()
        var second = Histogram<SessionTime>()
        first.add(microseconds: 1_000)
        second.add(microseconds: 2_000)
        let sum = first + second
        #expect(counts(sum).prefix(3) == [1, 1, 0])
        #expect(sum.sum == 3_000)
        first.add(microseconds: 2_000)
        #expect(first == sum && second != sum)
    }

    @Test("no value is lost when several threads add to a shared histogram")
    func shares() async {
        let shared = SharedConnectTime()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for value: UInt64 in 0..<10_000 { shared.histogram.add(microseconds: value) }
                }
            }
        }
        var expected = Histogram<ConnectTime>()
        for value: UInt64 in 0..<10_000 { expected.add(microseconds: value) }
        #expect(shared.histogram.histogram == expected + expected + expected + expected)
    }

    @Test("a published tally of a listener can be read with all its parts")
    func publishes() {
        let counters = ListenerCounters()
        var tally = ListenerTally(accepted: 1, rejected: 2, denied: 3, bytesIn: 4, bytesOut: 5)
        tally.sessionTime.add(microseconds: 7_000)
        tally.ends[.killed] = 4
        tally.refuse(because: .accessRules)
        tally.refuse(because: .totalLimit)
        #expect(counters.tally == ListenerTally())
        counters.publish(tally)
        counters.publish(tally, afterEnd: .killed)
        counters.publish(tally, afterRefusal: .accessRules, of: .loopback(port: 7))
        counters.publish(tally, afterRefusal: .totalLimit, of: nil)
        #expect(counters.tally == tally)
        #expect(counters.lastRefused(because: .accessRules) == .loopback(port: 7))
        #expect(counters.lastRefused(because: .totalLimit) == nil)
        #expect((tally.rejected, tally.denied) == (3, 4))
        #expect((tally + tally).denied == 8)
        #expect((tally + tally).ends[.killed] == 8)
        #expect((tally + tally).refusals[.totalLimit] == 2)
        #expect((tally + tally).sessionTime.count == 2)
    }
}

private final class SharedConnectTime: Sendable {
    let histogram = SharedHistogram<ConnectTime>()
}
