import TestSupport
import Testing
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("ControlServer: fair turns")
struct ControlTurnTests {
    private static let status = #"{"method":"io.verypoll.Daemon.GetStatus"}"#
    private static let ping = ControlServerTests.ping

    @Test("a client that has used up its CPU time waits, and others are served meanwhile")
    func isolatesHeavyClient() throws {
        var fixture = try ControlFixture()
        let heavy = try Client(path: fixture.path)
        let light = try Client(path: fixture.path)
        let now = ContinuousClock.now
        fixture.handler.statusTime = .milliseconds(50)
        try heavy.send(Self.status + "\0" + Self.ping + "\0")
        try fixture.settle(now: now)
        #expect(try fixture.receiveMessages(1, from: heavy).count == 1)
        // The debt is 30 ms, paid off at 5 ms per second.
        let due = fixture.server.deadline
        let deadline = try #require(due)
        #expect(deadline > now + .seconds(5))
        #expect(deadline < now + .seconds(7))
        let turns = try fixture.settle(now: now)
        #expect(turns == 0)
        #expect(try heavy.receiveNow() == nil)

        try light.send(Self.ping + "\0")
        try fixture.settle(now: now)
        #expect(try fixture.receiveMessages(1, from: light) == ["{}"])
        #expect(try heavy.receiveNow() == nil)
        try fixture.settle(now: deadline)
        #expect(try fixture.receiveMessages(1, from: heavy) == ["{}"])
        let last = fixture.server.deadline
        #expect(last == nil)
    }

    @Test("while all clients are over budget, the server's poll is not watched; then it is again")
    func pausesAll() throws {
        var fixture = try ControlFixture()
        let now = ContinuousClock.now
        fixture.handler.statusTime = .milliseconds(60)
        var clients: [Held] = []
        for _ in 0..<2 {
            let client = try Client(path: fixture.path)
            try client.send(Self.status + "\0")
            clients.append(Held(client))
            try fixture.settle(now: now)
        }
        let late = try Client(path: fixture.path)
        try late.send(Self.ping + "\0")
        // The server sees no event, although a client waits to be accepted.
        let turns = try fixture.settle(now: now)
        #expect(turns == 0)
        let due = fixture.server.deadline
        let end = try #require(due)
        #expect(end > now + .seconds(4))
        #expect(end < now + .seconds(5))
        try fixture.settle(now: end)
        #expect(try fixture.receiveMessages(1, from: late) == ["{}"])
    }

    @Test("a long message is decoded in a job, and others are served meanwhile")
    func decodesElsewhere() throws {
        var fixture = try ControlFixture()
        let heavy = try Client(path: fixture.path)
        let light = try Client(path: fixture.path)
        let space = String(repeating: " ", count: ControlServer.inlineByteCount)
        try heavy.send(#"{"method":"io.systemd.service.Ping""# + space + "}\0" + Self.ping + "\0")
        try Self.expectPing(of: light, whileJobRunsFor: heavy, in: &fixture)
        #expect(try fixture.receiveMessages(2, from: heavy) == ["{}", "{}"])
    }

    /// Expects that a client is served while another one waits for a job, and finishes the job.
    private static func expectPing(
        of light: borrowing Client,
        whileJobRunsFor heavy: borrowing Client,
        in fixture: inout ControlFixture
    ) throws {
        var events = Events(capacity: 1)
        while fixture.handler.jobCount == 0 { try fixture.turn(&events) }
        try light.send(ping + "\0")
        // The job is not finished yet, and the call after it waits.
        while try light.receiveNow()?.isEmpty ?? true { try fixture.turn(&events) }
        #expect(try heavy.receiveNow() == nil)
        try fixture.settle()
    }

    @Test("a client that has used up its CPU time still receives the rest of its answer")
    func sendsRestInDebt() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let now = ContinuousClock.now
        fixture.handler.statusTime = .milliseconds(50)
        fixture.handler.metricsText = String(repeating: "#", count: 2 << 20)
        try client.send(#"{"method":"io.verypoll.Daemon.GetMetrics"}"# + "\0" + Self.ping + "\0")
        var answer: [UInt8] = []
        while answer.last != 0 {
            try fixture.settle(now: now)
            answer += try #require(try client.receiveNow())
        }
        #expect(answer.count > 2 << 20)
        // The next call waits until the debt is paid off.
        try fixture.settle(now: now)
        #expect(try client.receiveNow() == nil)
        try fixture.settle(now: now + .seconds(10))
        #expect(try fixture.receiveMessages(1, from: client) == ["{}"])
    }

    @Test("an answer about many listeners is encoded in a job, and others are served meanwhile")
    func encodesElsewhere() throws {
        var fixture = try ControlFixture()
        fixture.handler.entryCount = ControlServer.inlineEntryCount + 1
        for method in ["GetStatus", "ListListeners", "ListUpstreams", "GetMetrics", "GetConfig"] {
            let heavy = try Client(path: fixture.path)
            let light = try Client(path: fixture.path)
            try heavy.send(#"{"method":"io.verypoll.Daemon."# + method + "\"}\0" + Self.ping + "\0")
            try Self.expectPing(of: light, whileJobRunsFor: heavy, in: &fixture)
            let answers = try fixture.receiveMessages(2, from: heavy)
            #expect(answers.first?.hasPrefix(#"{"parameters":{"#) == true)
            #expect(answers.last == "{}")
        }
    }

    @Test("a monitor receives a status that is encoded in a job before the events after it")
    func monitorsInOrder() throws {
        var fixture = try ControlFixture()
        fixture.handler.entryCount = ControlServer.inlineEntryCount + 1
        let client = try Client(path: fixture.path)
        try client.send(#"{"method":"io.verypoll.Daemon.Monitor","more":true}"# + "\0")
        var events = Events(capacity: 1)
        while fixture.handler.jobCount == 0 { try fixture.turn(&events) }
        fixture.server.tell([MonitorEvent(.reloaded, timestampUSec: 1)])
        #expect(try client.receiveNow() == nil)
        try fixture.settle()
        fixture.server.tell([MonitorEvent(.reloaded, timestampUSec: 2)])
        let received = try fixture.receiveMessages(3, from: client)
        #expect(received.count == 3)
        #expect(received.first?.contains(#""status":{"#) == true)
        #expect(received.dropFirst().map { $0.contains("reloaded") } == [true, true])
    }

    @Test("a long message that is not a call closes its connection")
    func endsMalformed() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let space = String(repeating: " ", count: ControlServer.inlineByteCount)
        try client.send("{" + space + "\0" + Self.ping + "\0")
        try fixture.settle()
        #expect(try client.receiveToEnd() == [])
    }

    @Test("jobs run one after another, and pause when they have used up their CPU time")
    func pacesJobs() {
        let now = ContinuousClock.now
        var jobs = ControlJobs(now: now)
        func add(_ slot: Int) {
            let callID = CallID(slot: slot, client: slot, call: 1)
            let check: ControlJob.Check = { _ in ChangeList(changes: []) }
            jobs.add(ControlJob(callID: callID, work: .check(text: "", by: check)))
        }
        for slot in 0..<4 { add(slot) }
        var slots = [jobs.next(now: now)?.callID.slot, jobs.next(now: now)?.callID.slot]
        #expect(slots == [0, nil])
        #expect(jobs.deadline(earliest: now) == nil)
        jobs.finish(after: .milliseconds(400), now: now)
        jobs.remove(ofClientIn: 1)
        #expect(jobs.deadline(earliest: now) == now)
        slots = [jobs.next(now: now)?.callID.slot]
        #expect(slots == [2])
        jobs.finish(after: .seconds(3), now: now)
        // 100 ms of the debt must be paid off, at 5 ms per second.
        let due = jobs.deadline(earliest: now)
        #expect(due.map { $0 > now + .seconds(20) && $0 < now + .seconds(21) } == true)
        slots = [19, 21].map { jobs.next(now: now + .seconds($0))?.callID.slot }
        #expect(slots == [nil, 3])
    }
}
