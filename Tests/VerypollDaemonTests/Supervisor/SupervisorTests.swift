import Testing
import Varlink
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Watchdog")
struct WatchdogTests {
    @Test("the service manager hears something only when every worker has answered")
    func waitsForAll() {
        let start = ContinuousClock.now
        var watchdog = Watchdog(interval: .seconds(10), now: start)
        #expect(watchdog.isDue(start, workers: 3) == true)
        #expect(watchdog.answer(of: 0) == false)
        #expect(watchdog.answer(of: 0) == false)
        #expect(watchdog.answer(of: 2) == false)
        #expect(watchdog.isDue(start + .seconds(5), workers: 3) == false)
        #expect(watchdog.answer(of: 1) == true)
        #expect(watchdog.answer(of: 1) == false)
    }

    @Test("workers are asked twice within the interval")
    func asksTwice() {
        let start = ContinuousClock.now
        var watchdog = Watchdog(interval: .seconds(10), now: start)
        #expect(watchdog.isDue(start, workers: 1) == true)
        #expect(watchdog.answer(of: 0) == true)
        #expect(watchdog.isDue(start + .seconds(4), workers: 1) == false)
        #expect(watchdog.dueAt == start + .seconds(5))
        #expect(watchdog.isDue(start + .seconds(5), workers: 1) == true)
    }
}

@Suite("PendingCalls")
struct QuestionsTests {
    private let callID = CallID(slot: 0, client: 1, call: 2)

    @Test("the sessions of all workers make one list, the oldest first, up to the limit")
    func lists() {
        var pendingCalls = PendingCalls()
        let number = pendingCalls.addListing(for: callID, limit: 2, workers: 2)
        #expect(pendingCalls.add([session(3, opened: 30)], false, to: number) == nil)
        let answer = pendingCalls.add(
            [session(2, opened: 10), session(4, opened: 20)],
            false,
            to: number
        )
        let list = try? answer?.result.get()
        #expect(list?.sessions.map(\.id) == [2, 4])
        #expect(list?.truncated == true)
        #expect(pendingCalls.add([], false, to: number) == nil)
    }

    @Test("a session that no worker has is an error")
    func killsNothing() {
        var pendingCalls = PendingCalls()
        let number = pendingCalls.add(9, for: callID)
        guard case .failure(let error)? = pendingCalls.finish(number, isFound: false)?.result else {
            Issue.record("no error")
            return
        }
        #expect(error == .sessionNotFound(9))
    }

    @Test("a worker that does not answer does not leave the caller waiting")
    func expires() {
        var pendingCalls = PendingCalls()
        let start = ContinuousClock.now
        _ = pendingCalls.addListing(for: callID, limit: 2, workers: 2)
        _ = pendingCalls.add(9, for: callID)
        #expect(pendingCalls.expire(now: start) == [])
        #expect(pendingCalls.expire(now: .now + .seconds(60)) == [callID, callID])
        #expect(pendingCalls.expire(now: .now + .seconds(60)) == [])
    }

    private func session(_ id: Int, opened: Int) -> Status.Session {
        Status.Session(
            id: id,
            listener: "l",
            worker: 0,
            peer: "p",
            local: nil,
            upstream: nil,
            server: nil,
            state: .open,
            openedTimestampUSec: opened,
            idleUSec: 0,
            bytesIn: 0,
            bytesOut: 0,
            buffered: 0
        )
    }
}

@Suite("BusyShares")
struct BusySharesTests {
    @Test("the share is of the last interval alone")
    func shares() {
        var shares = BusyShares(count: 1)
        let start = ContinuousClock.now + .seconds(1)
        shares.update([1_000_000_000], now: start)
        shares.update([1_250_000_000], now: start + .seconds(1))
        #expect(shares.values == [0.25])
        shares.update([1_250_000_000], now: start + .seconds(2))
        #expect(shares.values == [0])
    }
}
