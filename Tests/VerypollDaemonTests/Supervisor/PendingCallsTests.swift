import Testing
import Varlink
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("PendingCalls")
struct PendingCallsTests {
    private let callID = CallID(slot: 0, client: 1, call: 2)

    @Test("the sessions of all workers form one list, oldest first, up to the limit")
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
    func findsNothing() {
        var pendingCalls = PendingCalls()
        let number = pendingCalls.add(9, for: callID)
        guard case .failure(let error)? = pendingCalls.finish(number, session: nil)?.result else {
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
