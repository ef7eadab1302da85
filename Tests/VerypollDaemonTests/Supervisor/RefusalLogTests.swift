import Testing

@testable import VerypollDaemon
@testable import VerypollServer

@Suite("RefusalLog")
struct RefusalLogTests {
    private let start = ContinuousClock.now

    private func counts(_ numbers: [RefusalCause: UInt64]) -> KindCounts<RefusalCause> {
        var counts = KindCounts<RefusalCause>()
        for (cause, number) in numbers { counts[cause] = number }
        return counts
    }

    @Test("the first client of each cause is logged at once, later ones together after a while")
    func limits() {
        var log = RefusalLog()
        #expect(log.entries(for: [("web", counts([:]))], now: start) == [])
        #expect(
            log.entries(for: [("web", counts([.accessRules: 1]))], now: start)
                == [.init(listener: "web", cause: .accessRules, count: 1)]
        )
        let more = [(name: "web", counts: counts([.accessRules: 500, .cycle: 2]))]
        #expect(
            log.entries(for: more, now: start + .seconds(1))
                == [.init(listener: "web", cause: .cycle, count: 2)]
        )
        #expect(log.entries(for: more, now: start + .seconds(9)) == [])
        #expect(
            log.entries(for: more, now: start + RefusalLog.interval)
                == [.init(listener: "web", cause: .accessRules, count: 499)]
        )
        #expect(log.entries(for: more, now: start + .seconds(99)) == [])
    }

    @Test("listeners do not share the limit, and the end of the daemon ends all waits")
    func separates() {
        var log = RefusalLog()
        _ = log.entries(for: [("web", counts([.totalLimit: 1]))], now: start)
        let both = [
            (name: "mail", counts: counts([.totalLimit: 3])),
            (name: "web", counts: counts([.totalLimit: 5])),
        ]
        #expect(
            log.entries(for: both, now: start)
                == [.init(listener: "mail", cause: .totalLimit, count: 3)]
        )
        #expect(
            log.entries(for: both, now: start, isLast: true)
                == [.init(listener: "web", cause: .totalLimit, count: 4)]
        )
    }

    @Test("a listener that was removed and added again begins at zero")
    func forgets() {
        var log = RefusalLog()
        let later = start + .seconds(20)
        _ = log.entries(for: [("web", counts([.sourceLimit: 9]))], now: start)
        #expect(
            log.entries(for: [("web", counts([.sourceLimit: 2]))], now: later)
                == [.init(listener: "web", cause: .sourceLimit, count: 2)]
        )
        _ = log.entries(for: [], now: later)
        #expect(
            log.entries(for: [("web", counts([.sourceLimit: 2]))], now: later)
                == [.init(listener: "web", cause: .sourceLimit, count: 2)]
        )
    }

    @Test("the message names the listener, the number, an example and the cause")
    func words() {
        let one = RefusalLog.Entry(listener: "web", cause: .accessRules, count: 1)
        let many = RefusalLog.Entry(listener: "web", cause: .totalLimit, count: 70)
        #expect(
            one.message(lastPeer: "192.0.2.7:1")
                == "listener web refused 1 client, 192.0.2.7:1: allow or deny excludes the address"
        )
        #expect(
            many.message(lastPeer: "192.0.2.7:1") == """
                listener web refused 70 clients, the last at 192.0.2.7:1: limits.maxSessions is \
                reached
                """
        )
        #expect(many.message(lastPeer: nil).hasPrefix("listener web refused 70 clients: "))
    }
}
