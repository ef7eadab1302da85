import Testing

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("HandoffLedger")
struct HandoffLedgerTests {
    private let head = HandoffLedger.head(sessionCounts: [3, 2])

    @Test("sessions that did not arrive are missing; without an entry, a worker's whole count is")
    func findsMissing() throws {
        let ledger = try HandoffLedger(
            decoding: head + HandoffLedger.entry(of: 0, ids: [5, 1, 3])
        )
        #expect(ledger.missing(besides: [3]).ids == [1, 5])
        #expect(ledger.missing(besides: [3]).count == 4)
        let empty = try HandoffLedger(decoding: head)
        #expect(empty.missing(besides: []).count == 5)
        #expect(empty.missing(besides: []).ids == [])
    }

    @Test("an incomplete entry is ignored, wherever it is cut off")
    func skipsUnfinished() throws {
        let whole = head + HandoffLedger.entry(of: 1, ids: [2, 4])
        for count in head.count..<whole.count {
            let ledger = try HandoffLedger(decoding: Array(whole.prefix(count)))
            #expect(ledger.missing(besides: [2, 4]).count == 5)
        }
        #expect(try HandoffLedger(decoding: whole).missing(besides: [2, 4]).count == 3)
    }

    @Test("a ledger of another version and a foreign file cause different errors")
    func refusesForeign() throws {
        var bytes = head
        bytes[8] = 2
        #expect(throws: RecordError.version(2)) { try HandoffLedger(decoding: bytes) }
        #expect(throws: RecordError.foreign) { try HandoffLedger(decoding: []) }
    }

    @Test("the log names up to 20 lost sessions, and counts the others")
    func namesLostSessions() {
        var outcome = RestoreOutcome()
        outcome.refuse(9, because: .listener)
        #expect(outcome.lostSessions() == "1 session lost: 9")
        outcome.refuse(7, because: .handler)
        #expect(outcome.lostSessions() == "2 sessions lost: 7, 9")
        outcome.refuse([], count: 2, because: .crash)
        #expect(outcome.lostSessions() == "4 sessions lost: 7, 9 and 2 more")
        outcome.refuse((100..<130).map { $0 }, count: 30, because: .crash)
        let shown = (["7", "9"] + (100..<118).map(String.init)).joined(separator: ", ")
        #expect(outcome.lostSessions() == "34 sessions lost: \(shown) and 14 more")
        var unknown = RestoreOutcome()
        unknown.refuse([], count: 5, because: .crash)
        #expect(unknown.lostSessions() == "5 sessions lost")
    }

    @Test("bundles are stored at once if no quieter bundle may need their room")
    func plans() {
        func ranks(_ counts: [Int], room: Int) -> Int {
            var handoff = HandoffProgress()
            _ = handoff.plan(counts, room: room)
            return handoff.certainRanks
        }
        #expect(ranks([1000, 1000], room: 2) == 1)
        #expect(ranks([1000, 1000], room: 1) == 0)
        #expect(ranks([5000, 1000], room: 6) == 5)
        #expect(ranks([5000, 1000], room: 5) == 4)
        #expect(ranks([5000, 5000], room: 4) == 2)
        #expect(ranks([5000, 5000], room: 5) == 2)
        #expect(ranks([0, 0], room: 5) == 0)
    }
}
