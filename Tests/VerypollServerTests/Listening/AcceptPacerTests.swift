import Synchronization
import TestSupport
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("AcceptPacer")
struct AcceptPacerTests {
    private typealias Rate = ListenerConfiguration.AcceptRate

    @Test("a burst is granted at once, then single connections at the rate")
    func paces() {
        let pacer = AcceptPacer(Rate(perSecond: 1000, burst: 3))
        for _ in 0..<3 { #expect(pacer.isGranted(at: 50)) }
        #expect(pacer.take(now: 50) == .wait(until: 1_000_050))
        #expect(pacer.take(now: 1_000_049) == .wait(until: 1_000_050))
        #expect(pacer.isGranted(at: 1_000_050))
        #expect(pacer.take(now: 1_000_050) == .wait(until: 2_000_050))
        // After a pause as long as the burst takes, the bucket is full again, and not fuller.
        for _ in 0..<3 { #expect(pacer.isGranted(at: 9_000_000)) }
        #expect(pacer.take(now: 9_000_000) == .wait(until: 10_000_000))
    }

    @Test("a burst of one grants at a steady pace, at the lowest and at the highest rate")
    func pacesSteadily() {
        for (perSecond, interval) in [(1, 1_000_000_000), (3, 333_333_334), (1_000_000, 1000)] {
            let pacer = AcceptPacer(Rate(perSecond: perSecond, burst: 1))
            var now: UInt64 = 1 << 40
            for _ in 0..<5 {
                #expect(pacer.isGranted(at: now))
                #expect(pacer.take(now: now) == .wait(until: now + UInt64(interval)))
                now += UInt64(interval)
            }
        }
    }

    @Test("a returned permit is granted again, unless another was granted in between")
    func givesBack() throws {
        let pacer = AcceptPacer(Rate(perSecond: 1000, burst: 2))
        let first = try #require(pacer.permit(at: 100))
        let second = try #require(pacer.permit(at: 100))
        #expect(!pacer.isGranted(at: 100))
        pacer.giveBack(second)
        let third = try #require(pacer.permit(at: 100))
        pacer.giveBack(first)
        #expect(!pacer.isGranted(at: 100))
        pacer.giveBack(third)
        #expect(pacer.isGranted(at: 100))
        #expect(!pacer.isGranted(at: 100))
    }

    @Test("no span of time exceeds the burst and the rate", arguments: 0..<12)
    func isBounded(seed: UInt64) {
        var generator = Generator(state: seed)
        let rate = Rate(
            perSecond: Int.random(in: 1...2000, using: &generator),
            burst: Int.random(in: 1...20, using: &generator)
        )
        let pacer = AcceptPacer(rate)
        var now = UInt64.random(in: 0...(1 << 50), using: &generator)
        var granted: [UInt64] = []
        for _ in 0..<2000 {
            switch pacer.take(now: now) {
            case .granted(let permit):
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    pacer.giveBack(permit)
                } else {
                    granted.append(now)
                }
            case .wait(let until):
                #expect(until > now)
                // The announced moment is exact: nothing is granted before it.
                #expect(!pacer.isGranted(at: until - 1))
                now = until
                if pacer.isGranted(at: now) { granted.append(now) } else { Issue.record("late") }
            }
            let pause = Int.random(in: 0..<50, using: &generator) == 0 ? 40_000_000 : 500_000
            now += UInt64.random(in: 0...UInt64(pause), using: &generator)
        }
        #expect(excess(in: granted, over: rate) == nil)
    }

    @Test("threads with different clocks together keep to the rate", arguments: 0..<4)
    func isShared(seed: UInt64) throws {
        let rate = Rate(perSecond: 100_000, burst: 7)
        let crowd = Crowd(rate: rate)
        let threads = try (0..<4).map { number in
            try Thread(name: "pacer/\(number)") {
                crowd.take(number, seed: seed * 4 + UInt64(number))
            }
        }
        for thread in threads { thread.join() }
        let granted = crowd.granted.withLock { $0 }.sorted()
        #expect(granted.count > 100)
        #expect(excess(in: granted, over: rate) == nil)
    }

    /// Returns a description of a span with too many connections, if there is one; `granted` must
    /// be sorted.
    private func excess(
        in granted: [UInt64],
        over rate: ListenerConfiguration.AcceptRate
    ) -> String? {
        for start in granted.indices {
            for end in start..<granted.count {
                let span = granted[end] - granted[start]
                let share = UInt64(rate.burst) + span * UInt64(rate.perSecond) / 1_000_000_000
                let count = UInt64(end - start + 1)
                if count > share { return "\(count) in \(span) ns, not \(share), of \(rate)" }
            }
        }
        return nil
    }
}

extension AcceptPacer {
    fileprivate func permit(at now: UInt64) -> Permit? {
        guard case .granted(let permit) = take(now: now) else { return nil }
        return permit
    }

    fileprivate func isGranted(at now: UInt64) -> Bool { permit(at: now) != nil }
}

/// Threads that share a pacer and a clock; each reads the clock some time before it asks.
private final class Crowd: Sendable {
    let granted = Mutex<[UInt64]>([])
    private let pacer: AcceptPacer
    private let clock = Atomic<UInt64>(0)

    init(rate: ListenerConfiguration.AcceptRate) {
        pacer = AcceptPacer(rate)
    }

    func take(_ number: Int, seed: UInt64) {
        var generator = Generator(state: seed)
        var mine: [UInt64] = []
        for _ in 0..<2000 {
            let step = UInt64.random(in: 0...4000, using: &generator)
            let now = clock.add(step, ordering: .relaxed).newValue
            guard case .granted(let permit) = pacer.take(now: now) else { continue }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                pacer.giveBack(permit)
            } else {
                mine.append(now)
            }
        }
        granted.withLock { $0 += mine }
    }
}
