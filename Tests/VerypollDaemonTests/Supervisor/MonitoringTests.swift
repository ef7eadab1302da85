#if Net && OSExt
import Testing
import VerypollControl

@testable import VerypollDaemon

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

    private func upstream(
        _ state: Status.Server.State,
        mode: Status.Server.Mode = .up,
        since: Int = 1
    ) -> Status.Upstream {
        let server = Status.Server(
            address: "a:1",
            resolvedAddresses: [],
            weight: 1,
            backup: false,
            mode: mode,
            state: state,
            stateReason: nil,
            stateTimestampUSec: since,
            active: 0,
            sessions: 0,
            failures: 0,
            bytesIn: 0,
            bytesOut: 0
        )
        return Status.Upstream(
            name: "app",
            balance: "random",
            active: 0,
            maxSessions: nil,
            waiting: 0,
            servers: [server]
        )
    }

    private func begin(
        _ listeners: [Status.Listener],
        _ upstreams: [Status.Upstream]
    ) -> Monitoring {
        var monitoring = Monitoring()
        let status = Status(
            version: "",
            pid: 1,
            startTimestampUSec: 0,
            configurationPath: nil,
            logLevel: "info",
            state: .running,
            drainDeadlineTimestampUSec: nil,
            note: nil,
            listeners: listeners,
            upstreams: upstreams,
            workers: [],
            totals: .init(
                active: 0,
                maxSessions: 0,
                accepted: 0,
                rejected: 0,
                bytesIn: 0,
                bytesOut: 0
            )
        )
        monitoring.begin(with: status)
        return monitoring
    }

    @Test("a look is due only while somebody monitors")
    func begins() {
        var monitoring = Monitoring()
        #expect(monitoring.dueAt == nil)
        monitoring = begin([], [])
        #expect(monitoring.dueAt != nil)
        monitoring.end()
        #expect(monitoring.dueAt == nil)
    }

    @Test("a listener's counters are no change, its state is")
    func tellsOfStates() {
        var monitoring = begin([listener("a"), listener("b")], [])
        #expect(monitoring.look(at: [listener("a", active: 9), listener("b")], []) == [])
        let events = monitoring.look(at: [listener("a", .draining), listener("b")], [])
        #expect(events.map(\.event) == [.listenerChanged])
        #expect(events.map(\.listener?.state) == [.draining])
        #expect(monitoring.look(at: [listener("a", .draining), listener("b")], []) == [])
    }

    @Test("listeners that come are told, and those that go are told as closed")
    func tellsOfListeners() {
        var monitoring = begin([listener("old", .draining)], [])
        let events = monitoring.look(at: [listener("new")], [])
        #expect(events.map(\.listener?.name) == ["new", "old"])
        #expect(events.map(\.listener?.state) == [.accepting, .closed])
        #expect(monitoring.look(at: [listener("new")], []) == [])
    }

    @Test("a server is up while sessions go there, whoever keeps them away")
    func tellsOfServers() {
        var monitoring = begin([], [upstream(.up)])
        func kinds(_ upstream: Status.Upstream) -> [MonitorEvent.Kind] {
            monitoring.look(at: [], [upstream]).map(\.event)
        }
        #expect(kinds(upstream(.up)) == [])
        #expect(kinds(upstream(.down, since: 2)) == [.serverDown])
        #expect(kinds(upstream(.up, since: 3)) == [.serverUp])
        #expect(kinds(upstream(.up, mode: .drain, since: 3)) == [.serverDown])
        #expect(kinds(upstream(.up, since: 3)) == [.serverUp])
        // It was down and is back between two looks.
        #expect(kinds(upstream(.up, since: 5)) == [.serverUp])
    }

    @Test("a configuration that was loaded is told once, and only to monitors")
    func tellsOfReloads() {
        let change = ConfigurationChange(
            pointer: "/workers",
            kind: .changed,
            before: "1",
            after: "2"
        )
        var monitoring = Monitoring()
        monitoring.noteReload([change])
        #expect(monitoring.takeReloads() == [])
        monitoring = begin([], [])
        monitoring.noteReload([change])
        #expect(monitoring.takeReloads().map(\.changes) == [[change]])
        #expect(monitoring.takeReloads() == [])
    }
}
#endif
