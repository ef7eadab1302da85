import Testing
import VerypollControl

@testable import VerypollDaemon

@Suite("Event history")
struct EventHistoryTests {
    private func paused(
        _ listener: String,
        _ state: Status.Listener.State = .paused,
        at timestamp: Int
    ) -> MonitorEvent {
        var event = MonitorEvent(.listenerChanged, timestampUSec: timestamp)
        event.listener = Status.Listener.sample(listener, state)
        return event
    }

    private func history(_ events: [MonitorEvent]) -> [StatusEvent] {
        var history = EventHistory()
        for event in events { history.note(event) }
        return history.events
    }

    @Test("the latest events are kept, the latest first")
    func isBounded() {
        let events = (0..<150).map { paused("l\($0)", at: $0) }
        let kept = history(events)
        #expect(kept.count == EventHistory.limit)
        #expect(kept.first?.listener == "l149")
        #expect(kept.last?.listener == "l50")
    }

    @Test("sessions and the first status are not events of the page")
    func leavesOut() {
        let kinds: [MonitorEvent.Kind] = [.status, .sessionOpened, .sessionClosed]
        #expect(history(kinds.map { MonitorEvent($0, timestampUSec: 1) }) == [])
    }

    @Test("actions of operators name the caller")
    func namesCallers() {
        let caller = Caller(uid: 0, gid: 0, pid: 7, command: "verypollctl")
        var events = [
            MonitorEvent(.drainBegun, timestampUSec: 1),
            MonitorEvent(.sessionsKilled, timestampUSec: 2),
            MonitorEvent(.logLevelSet, timestampUSec: 3),
        ]
        for index in events.indices { events[index].caller = caller }
        events[0].listener = Status.Listener.sample("web", .draining)
        events[1].count = 12
        events[2].logLevel = "debug"
        let kept = history(events)
        #expect(kept.map(\.caller) == Array(repeating: "verypollctl (uid 0, pid 7)", count: 3))
        #expect(kept.map(\.listener) == [nil, nil, "web"])
        #expect(kept.map(\.sessions) == [nil, 12, nil])
        #expect(kept.map(\.logLevel) == ["debug", nil, nil])
    }

    @Test("a listener that pauses all the time does not displace other events")
    func merges() {
        let flaps = (0..<1000).flatMap { time in
            [paused("a", at: 2 * time), paused("a", .accepting, at: 2 * time + 1)]
        }
        let kept = history([paused("b", at: 0)] + flaps)
        #expect(kept.map(\.listener) == ["a", "a", "b"])
        #expect(kept.map(\.count) == [1000, 1000, nil])
        #expect(kept.map(\.timestampUSec) == [1999, 1998, 0])
    }

    @Test("many kills by the same caller are one event with the sum of their sessions")
    func mergesKills() {
        func killed(_ count: Int, by pid: Int, at timestamp: Int) -> MonitorEvent {
            var event = MonitorEvent(.sessionsKilled, timestampUSec: timestamp)
            event.caller = Caller(uid: 0, gid: 0, pid: pid)
            event.count = count
            return event
        }
        let kills = (1...150).map { killed(1, by: 7, at: $0) }
        let kept = history([paused("b", at: 0)] + kills + [killed(5, by: 8, at: 151)])
        #expect(kept.map(\.caller) == ["uid 0, pid 8", "uid 0, pid 7", nil])
        #expect(kept.map(\.sessions) == [5, 150, nil])
        #expect(kept.map(\.count) == [nil, 150, nil])
    }

    @Test("like events with much time between them are separate")
    func separates() {
        let times = [0, EventHistory.mergeTime - 1, 2 * EventHistory.mergeTime]
        let kept = history(times.map { paused("a", at: $0) })
        #expect(kept.map(\.count) == [nil, 2])
    }

    @Test("reloads are never merged, and say what they changed or why they were refused")
    func describesReloads() {
        let change = ConfigurationChange(pointer: "/a", kind: .added, before: nil, after: "1")
        let problem = Problem(file: "f", line: 3, column: 4, pointer: "/b", message: "no")
        let kept = history([
            MonitorEvent([change], timestampUSec: 1), MonitorEvent([change], timestampUSec: 2),
            MonitorEvent([ConfigurationChange](repeating: change, count: 5), timestampUSec: 3),
            MonitorEvent([ConfigurationChange](), timestampUSec: 4),
            MonitorEvent([problem, problem], timestampUSec: 5),
        ])
        #expect(
            kept.map(\.reason) == [
                "f:3:4: /b: no; and 1 more", "no changes", "/a, /a, /a, and 2 more", "/a", "/a",
            ]
        )
    }

    @Test("long texts are cut at the limit, between two characters")
    func cuts() {
        var event = paused("a", at: 1)
        event.listener?.stateReason = String(repeating: "€", count: 1000)
        let reason = history([event]).first?.reason ?? ""
        #expect(reason.hasPrefix("€€") && reason.hasSuffix("€…"))
        #expect((490...503).contains(reason.utf8.count))
        #expect("abc".cut(to: 3) == "abc")
    }
}

extension Status.Listener {
    /// Returns a listener whose counters are zero.
    static func sample(_ name: String, _ state: State = .accepting) -> Status.Listener {
        Status.Listener(
            name: name,
            addresses: [Address(address: "127.0.0.1:80", origin: .bound)],
            handler: "proxy",
            state: state,
            stateReason: nil,
            drainDeadlineTimestampUSec: nil,
            active: 0,
            maxSessions: nil,
            accepted: 0,
            rejected: 0,
            bytesIn: 0,
            bytesOut: 0
        )
    }
}
