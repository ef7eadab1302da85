import DaemonTestSupport
import Synchronization
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("SlowStart")
struct SlowStartTests {
    private let slowStart = SlowStart(duration: 1_000)

    @Test("the weight grows linearly from a tenth to the server's weight")
    func grows() {
        let moments: [UInt64] = [500, 750, 1_000, 1_400, 1_499, 1_500, 1_000_000]
        let weights = moments.map { slowStart.weight(2, since: 500, now: $0) }
        #expect(weights == [200, 650, 1_100, 1_820, 1_998, 2_000, 2_000])
    }

    @Test("the weight never shrinks, and is at most that of the server")
    func isMonotonic() {
        for duration: UInt64 in [1, 7, 999, 86_400_000, .max / 4] {
            let slowStart = SlowStart(duration: duration)
            let step = max(1, duration / 1_000)
            var last = 1
            for turn in 0...1_001 as ClosedRange<UInt64> {
                let weight = slowStart.weight(1_000, since: 1, now: 1 + min(turn * step, 1 << 52))
                #expect(weight >= last && weight <= 1_000_000)
                last = weight
            }
        }
    }

    @Test("a server that was never down has its weight, and so have all without slowStart")
    func isOff() {
        #expect(slowStart.weight(3, since: 0, now: 500) == 3_000)
        #expect(SlowStart(duration: 0).weight(3, since: 500, now: 500) == 3_000)
    }

    @Test("a moment before the start counts as the start")
    func toleratesRaces() {
        #expect(slowStart.weight(1, since: 500, now: 499) == 100)
    }

    // MARK: Shares

    /// Returns the number of sessions that each of two servers gets at a moment after the first
    /// one, whose weight grows for ten seconds, is up again at 1 s.
    private func shares(
        _ balance: UpstreamConfiguration.Balance,
        at moments: ClosedRange<UInt64>
    ) throws -> [Int] {
        var configuration = try UpstreamConfiguration.test(["10.0.0.1:80", "10.0.0.2:80"])
        configuration.balance = balance
        configuration.slowStart = .seconds(10)
        let upstream = Upstream(configuration)
        upstream.servers[0].cameUp(now: 1_000)
        for moment in moments {
            let source = IPAddress(v4: UInt32(truncatingIfNeeded: moment))
            _ = upstream.pick(source: source, excluding: [], now: moment)
        }
        return upstream.servers.map { $0.active.load(ordering: .relaxed) }
    }

    @Test(
        "a server that is up again gets a share that grows, whatever the balance",
        arguments: UpstreamConfiguration.Balance.allCases
    )
    func growsShares(balance: UpstreamConfiguration.Balance) throws {
        // In the first second its mean weight is 0.145, a share of 12.7 %.
        let first = try shares(balance, at: 1_000...1_999)
        #expect((70...190).contains(first[0]), "\(first)")
        // Over all ten seconds its mean weight is 0.55, a share of about 34 %.
        let all = try shares(balance, at: 1_000...10_999)
        #expect((2_900...5_100).contains(all[0]), "\(all)")
        let later = try shares(balance, at: 11_000...11_999)
        #expect((430...570).contains(later[0]), "\(later)")
    }

    @Test("the turns of round robin during a slow start are exact")
    func isExact() throws {
        var configuration = try UpstreamConfiguration.test(["10.0.0.1:80", "10.0.0.2:80"])
        configuration.slowStart = .seconds(10)
        let upstream = Upstream(configuration)
        upstream.servers[0].cameUp(now: 1_000)
        // At the start, a tenth: one of eleven sessions.
        for _ in 0..<1_100 { _ = upstream.pick(source: nil, excluding: [], now: 1_000) }
        #expect(upstream.servers.map { $0.active.load(ordering: .relaxed) } == [100, 1_000])
    }

    @Test("leastSessions lets a server that is up again catch up only as its weight grows")
    func limitsCatchingUp() throws {
        var configuration = try UpstreamConfiguration.test(["10.0.0.1:80", "10.0.0.2:80"])
        configuration.balance = .leastSessions
        configuration.slowStart = .seconds(10)
        let upstream = Upstream(configuration)
        upstream.servers[0].isDown = true
        for _ in 0..<100 { _ = upstream.pick(source: nil, excluding: [], now: 500) }
        upstream.servers[0].isDown = false
        upstream.servers[0].cameUp(now: 1_000)
        for _ in 0..<100 { _ = upstream.pick(source: nil, excluding: [], now: 1_000) }
        let counts = upstream.servers.map { $0.active.load(ordering: .relaxed) }
        #expect(counts[0] < 20 && counts[0] > 10, "\(counts)")
    }
}
