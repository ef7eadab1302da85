import Testing
import Varlink
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("PendingKills")
struct PendingKillsTests {
    private let callID = CallID(slot: 0, client: 1, call: 2)
    private let caller = Caller(uid: 0, gid: 0, pid: 9)

    @Test("a call ends with the sum of what all workers have closed")
    func adds() throws {
        var kills = PendingKills()
        let query = SessionQuery(listener: "web", peer: "10.0.0.0/8")
        let number = try kills.add(query, for: callID, by: caller, workers: 3)
        let first = kills.note(5, of: number)
        #expect(first == nil)
        let second = kills.note(0, of: number)
        #expect(second == nil)
        let kill = kills.note(2, of: number)
        #expect(kill?.count == 7)
        #expect(kill?.caller == caller)
        #expect(kill?.callID == callID)
        #expect(kill?.session == nil)
        #expect(kill?.criteria.text == "listener web, peer 10.0.0.0/8")
        let late = kills.note(1, of: number)
        #expect(late == nil)
    }

    @Test("a call about one session ends with one report")
    func addsOne() throws {
        var kills = PendingKills()
        let number = try kills.add(7, for: callID, by: caller)
        let kill = kills.note(1, of: number)
        #expect(kill?.session == 7)
        #expect(kill?.count == 1)
    }

    @Test("only so many calls may wait for workers")
    func limits() throws {
        var kills = PendingKills()
        var last = 0
        for _ in 0..<PendingKills.limit { last = try kills.add(7, for: callID, by: caller) }
        #expect(throws: VarlinkError.busy) {
            try kills.add(8, for: callID, by: caller)
        }
        _ = kills.note(1, of: last)
        _ = try kills.add(8, for: callID, by: caller)
    }

    @Test("a worker that cannot be asked counts as one that has closed nothing")
    func skips() throws {
        var kills = PendingKills()
        let number = try kills.add(SessionQuery(), for: callID, by: caller, workers: 3)
        try kills.noteUnasked(2, of: number)
        let kill = kills.note(4, of: number)
        #expect(kill?.count == 4)
    }

    @Test("a call whose workers cannot be asked at all is refused, and does not wait")
    func refusesUnasked() throws {
        var kills = PendingKills()
        for _ in 0...PendingKills.limit {
            let one = try kills.add(7, for: callID, by: caller)
            #expect(throws: VarlinkError.busy) { try kills.noteUnasked(1, of: one) }
            let all = try kills.add(SessionQuery(), for: callID, by: caller, workers: 2)
            #expect(throws: VarlinkError.busy) { try kills.noteUnasked(2, of: all) }
        }
    }

    @Test("a request needs either criteria or the word all")
    func isClear() {
        #expect(!KillRequest(SessionQuery()).isClear)
        #expect(!KillRequest(SessionQuery(), all: false).isClear)
        #expect(KillRequest(SessionQuery(), all: true).isClear)
        #expect(KillRequest(SessionQuery(server: "a:1")).isClear)
        #expect(!KillRequest(SessionQuery(server: "a:1"), all: true).isClear)
    }
}
