import DaemonTestSupport
import Testing
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Monitoring")
struct MonitoringTests {
    private func listener(
        _ name: String,
        _ state: Status.Listener.State = .accepting,
        active: Int = 0
    ) -> Status.Listener {
        Status.Listener(
            name: name,
            addresses: [],
            handler: "echo",
            state: state,
            stateReason: nil,
            drainDeadlineTimestampUSec: nil,
            active: active,
            maxSessions: nil,
            accepted: 0,
            rejected: 0,
            bytesIn: 0,
            bytesOut: 0
        )
    }

    private func begin(_ listeners: [Status.Listener]) -> Monitoring {
        var monitoring = Monitoring()
        monitoring.begin(with: listeners, pauses: [:])
        return monitoring
    }

    @Test("without monitors, no events are recorded")
    func begins() {
        var monitoring = Monitoring()
        monitoring.note(MonitorEvent(.serverSet, timestampUSec: 1))
        monitoring.note([listener("a")], timestampUSec: 1)
        #expect(!monitoring.hasEvents)
        monitoring = begin([])
        monitoring.note(MonitorEvent(.serverSet, timestampUSec: 1))
        #expect(monitoring.hasEvents)
        monitoring.end()
        #expect(!monitoring.isActive)
        #expect(!monitoring.hasEvents)
    }

    @Test("the end of a drain is an event of its own, once")
    func reportsDrained() {
        var monitoring = begin([listener("a"), listener("b", .drained)])
        monitoring.note([listener("a", .draining), listener("b", .drained)], timestampUSec: 6)
        monitoring.note([listener("a", .drained), listener("b", .drained)], timestampUSec: 7)
        monitoring.note([listener("a", .drained), listener("b", .drained)], timestampUSec: 8)
        let events = monitoring.takeEvents().events
        #expect(events.map(\.event) == [.listenerChanged, .listenerChanged, .drainDone])
        #expect(events.last?.listener?.name == "a")
        #expect(events.last?.timestampUSec == 7)
    }

    @Test("each change is reported once, in order and with its own time")
    func tellsInOrder() {
        var monitoring = begin([listener("a")])
        monitoring.note(MonitorEvent(.serverSet, timestampUSec: 5))
        monitoring.note([listener("a", .draining)], timestampUSec: 6)
        monitoring.note([listener("a")], timestampUSec: 7)
        monitoring.note(MonitorEvent(.serverSet, timestampUSec: 8))
        let (events, lostCount) = monitoring.takeEvents()
        #expect(events.map(\.timestampUSec) == [5, 6, 7, 8])
        #expect(
            events.map(\.event) == [.serverSet, .listenerChanged, .listenerChanged, .serverSet]
        )
        #expect(lostCount == 0)
        #expect(!monitoring.hasEvents)
    }

    @Test("changes beyond the limit are counted as lost")
    func countsLost() {
        var monitoring = begin([])
        for number in 0..<Monitoring.limit + 3 {
            monitoring.note(MonitorEvent(.serverSet, timestampUSec: number))
        }
        let (events, lostCount) = monitoring.takeEvents()
        #expect(events.count == Monitoring.limit)
        #expect(lostCount == 3)
        #expect(!monitoring.hasEvents)
    }

    @Test("a listener's state is reported as a change, and its counters are not")
    func tellsOfStates() {
        var monitoring = begin([listener("a"), listener("b")])
        monitoring.note([listener("a", active: 9), listener("b")], timestampUSec: 1)
        #expect(!monitoring.hasEvents)
        monitoring.note([listener("a", .draining), listener("b")], timestampUSec: 2)
        let events = monitoring.takeEvents().events
        #expect(events.map(\.listener?.state) == [.draining])
        monitoring.note([listener("a", .draining), listener("b")], timestampUSec: 3)
        #expect(!monitoring.hasEvents)
    }

    @Test("added listeners are reported, and removed ones are reported as closed")
    func tellsOfListeners() {
        var monitoring = begin([listener("old", .draining)])
        monitoring.note([listener("new")], timestampUSec: 4)
        let events = monitoring.takeEvents().events
        #expect(events.map(\.listener?.name) == ["new", "old"])
        #expect(events.map(\.listener?.state) == [.accepting, .closed])
        #expect(events.map(\.timestampUSec) == [4, 4])
        monitoring.note([listener("new")], timestampUSec: 5)
        #expect(!monitoring.hasEvents)
    }

    @Test("a listener is paused as long as any of its workers is")
    func joinsPauses() {
        var monitoring = Monitoring()
        monitoring.begin(with: [listener("a")], pauses: ["a": [.none, .acceptRate]])
        #expect(monitoring.note(.totalLimit, of: 0, on: "a") == .totalLimit)
        #expect(monitoring.note(.none, of: 0, on: "a") == .acceptRate)
        #expect(monitoring.note(.none, of: 1, on: "a") == .none)
        #expect(monitoring.note(.acceptRate, of: 2, on: "other") == .acceptRate)
    }

    @Test("session end times are kept only for listeners that are still draining")
    func keepsLastEnds() {
        var monitoring = begin([listener("a"), listener("b", .draining)])
        monitoring.noteEnd(of: "a", timestampUSec: 1)
        monitoring.noteEnd(of: "b", timestampUSec: 2)
        monitoring.noteEnd(of: "b", timestampUSec: 3)
        #expect(monitoring.lastEnds == ["b": 3])
        monitoring.note(listener("b", .drained), timestampUSec: 3)
        #expect(monitoring.lastEnds == [:])
    }

    @Test("a rejected reload is reported with a limited number of problems and the total")
    func limitsProblems() {
        let problem = Problem(file: "", line: 1, column: 1, pointer: "", message: "wrong")
        let event = MonitorEvent(Array(repeating: problem, count: 1000), timestampUSec: 1)
        #expect(event.event == .reloadRefused)
        #expect(event.problems?.count == Monitoring.problemLimit)
        #expect(event.count == 1000)
    }
}
