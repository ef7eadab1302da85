import Testing

@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Report cache")
struct ReportCacheTests {
    private let report = Report(.status, body: [1])
    private let start = ContinuousClock.now

    @Test("a report is written once for all who ask meanwhile")
    func shares() {
        var cache = ReportCache()
        #expect(cache.ask(worker: 0, now: start) == .write)
        #expect(cache.ask(worker: 1, now: start) == .wait)
        #expect(cache.ask(worker: 0, now: start + .seconds(9)) == .wait)
        #expect(cache.note(report, took: .zero, now: start) == [0, 1, 0])
        #expect(cache.note(report, took: .zero, now: start) == [])
    }

    @Test("a written report answers until its lifetime is over")
    func expires() {
        var cache = ReportCache()
        _ = cache.ask(worker: 0, now: start)
        _ = cache.note(report, took: .zero, now: start)
        let end = start + ReportCache.lifetime
        #expect(cache.ask(worker: 1, now: start) == .answer(report))
        #expect(cache.ask(worker: 1, now: end - .nanoseconds(1)) == .answer(report))
        #expect(cache.ask(worker: 1, now: end) == .write)
    }

    @Test("a report that takes long to write lives longer, so that its share stays small")
    func limitsShare() {
        var cache = ReportCache()
        _ = cache.ask(worker: 0, now: start)
        _ = cache.note(report, took: .seconds(1), now: start)
        #expect(cache.ask(worker: 0, now: start + .milliseconds(9_999)) == .answer(report))
        #expect(cache.ask(worker: 0, now: start + .seconds(10)) == .write)
    }

    @Test("an expired report is dropped, and the next request has it written again")
    func drops() {
        var cache = ReportCache()
        _ = cache.ask(worker: 0, now: start)
        _ = cache.note(report, took: .zero, now: start)
        cache.expire(now: start)
        #expect(cache.ask(worker: 0, now: start) == .answer(report))
        cache.expire(now: start + .seconds(1))
        #expect(cache.ask(worker: 0, now: start) == .write)
    }
}
