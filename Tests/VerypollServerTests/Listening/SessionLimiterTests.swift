import Synchronization
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("SessionLimiter")
struct SessionLimiterTests {
    @Test("threads together reserve no more places than the limit")
    func limits() async {
        let limiter = SessionLimiter(limit: 3)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<2000 where limiter.tryReserve() {
                        limiter.commit()
                        #expect(limiter.active <= 3)
                        _ = limiter.release()
                    }
                }
            }
        }
        #expect(limiter.active == 0)
        #expect((0..<4).map { _ in limiter.tryReserve() } == [true, true, true, false])
    }

    @Test("a refused reservation is not counted, not even for a moment")
    func countsNoRefused() throws {
        let limiter = SessionLimiter(limit: 1)
        #expect(limiter.tryReserve())
        let thread = try Thread(name: "refused") {
            for _ in 0..<100_000 where limiter.tryReserve() {
                Issue.record("entered over the limit")
            }
        }
        let most = (0..<100_000).map { _ in limiter.places.load(ordering: .relaxed) }.max()
        thread.join()
        #expect(most == 1)
    }

    @Test("a reserved place is not a session, and only sessions fill the limiter")
    func settles() {
        let limiter = SessionLimiter(limit: 1)
        #expect(limiter.tryReserve() && !limiter.tryReserve())
        #expect(limiter.active == 0 && !limiter.isFull())
        limiter.commit()
        #expect(limiter.active == 1 && limiter.isFull())
        #expect(!limiter.release())
        #expect(limiter.active == 0 && limiter.tryReserve())
        #expect(!limiter.cancel() && limiter.tryReserve())
    }

    @Test("releasing a place reports once that a worker waits")
    func tells() {
        let limiter = SessionLimiter(limit: 2)
        #expect(limiter.reserveOrAwait() && limiter.reserveOrAwait())
        limiter.commit()
        limiter.commit()
        #expect(!limiter.reserveOrAwait() && !limiter.reserveOrAwait())
        #expect(limiter.release())
        #expect(!limiter.release())
        #expect(limiter.tryReserve())
        #expect(!limiter.cancel())
        #expect(limiter.active == 0)
    }
}
