import VerypollControl

/// A status and a list with every field set.
enum Sample {
    static let status = Status(
        version: "1.2.3",
        pid: 4242,
        startTimestampUSec: 1_700_000_000_000_000,
        configurationPath: "/etc/verypolld/verypolld.json",
        logLevel: "info",
        state: .running,
        drainDeadlineTimestampUSec: 1_700_000_030_000_000,
        note: "session limit reached, listener echo paused",
        listeners: [
            Status.Listener(
                name: "echo",
                addresses: [.init(address: "127.0.0.1:7007", origin: .bound)],
                handler: "echo",
                state: .paused,
                stateReason: "session limit reached",
                drainDeadlineTimestampUSec: 1_700_000_030_000_000,
                active: 10,
                maxSessions: 10,
                accepted: 100,
                rejected: 2,
                bytesIn: 1 << 40,
                bytesOut: 1 << 39
            )
        ],
        upstreams: [
            Status.Upstream(
                name: "app",
                balance: "leastSessions",
                active: 9,
                maxSessions: 20,
                waiting: 1,
                servers: [
                    Status.Server(
                        address: "app.internal:80",
                        resolvedAddresses: ["10.0.0.1:80", "10.0.0.2:80"],
                        weight: 2,
                        backup: true,
                        mode: .drain,
                        state: .down,
                        stateReason: "Connection refused",
                        stateTimestampUSec: 1_700_000_000_000_000,
                        active: 9,
                        sessions: 90,
                        failures: 3,
                        bytesIn: 1 << 30,
                        bytesOut: 1 << 20,
                        check: "http",
                        maxSessions: 12,
                        lastCheck: Status.Check(
                            succeeded: false,
                            reason: "Connection refused",
                            timestampUSec: 1_700_000_000_000_000,
                            durationUSec: 250
                        ),
                        srv: "_app._tcp.example",
                        target: "host.example",
                        priority: 10
                    )
                ],
                services: [
                    Status.Service(
                        name: "_app._tcp.example",
                        servers: 1,
                        answerTimestampUSec: 1_700_000_000_000_000,
                        isNotOffered: false,
                        failure: "timed out",
                        failures: 2
                    )
                ]
            )
        ],
        workers: [
            Status.Worker(
                index: 0,
                sessions: 10,
                polls: 200,
                events: 300,
                wakeUps: 4,
                busyShare: 0.125
            )
        ],
        totals: Status.Totals(
            active: 10,
            maxSessions: 1000,
            accepted: 100,
            rejected: 2,
            bytesIn: 1 << 40,
            bytesOut: 1 << 39
        ),
        lastReload: Status.LastReload(timestampUSec: 1_700_000_020_000_000, changes: 3),
        configurationHash: "cbf29ce484222325"
    )

    static let sessions = SessionList(
        sessions: [
            Status.Session(
                id: 17,
                listener: "echo",
                worker: 0,
                peer: "127.0.0.1:50000",
                local: "127.0.0.1:7007",
                upstream: "app",
                server: "app.internal:80",
                state: .halfClosed,
                openedTimestampUSec: 1_700_000_000_000_000,
                idleUSec: 1_500_000,
                bytesIn: 64,
                bytesOut: 64,
                buffered: 0,
                serverName: "shop.example.com",
                alpn: ["h2"],
                route: "shop"
            )
        ],
        truncated: true
    )

    static let routing = Status.Routing(
        listener: "front",
        inspect: "tls",
        routes: [
            Status.Route(
                name: "shop",
                serverNames: ["shop.example.com"],
                alpn: ["h2"],
                upstream: "app",
                active: 1,
                sessions: 9
            )
        ],
        upstream: "app",
        notTLS: "app"
    )

    static let ranking = Status.Ranking(
        upstream: "app",
        hashKey: "source",
        servers: [
            Status.RankedServer(
                address: "10.0.0.1:80",
                usable: true,
                weight: 1,
                backup: false,
                mode: .up,
                state: .up,
                full: false
            )
        ]
    )

    static let change = ConfigurationChange(
        pointer: "/listeners/echo/maxSessions",
        kind: .changed,
        before: "10",
        after: "20"
    )

    static let problem = Problem(
        file: "verypolld.json",
        line: 3,
        column: 14,
        pointer: "/workers",
        message: "must be a number"
    )

    static let caller = Caller(uid: 0, gid: 0, pid: 123, command: "verypollctl")

    static var event: MonitorEvent {
        var event = MonitorEvent(.status, timestampUSec: 1_700_000_000_000_000)
        event.status = status
        event.session = sessions.sessions.first
        event.reason = "both ways ended"
        event.upstream = "app"
        event.server = status.upstreams.first?.servers.first
        event.listener = status.listeners.first
        event.changes = [change]
        event.problems = [problem]
        event.count = 3
        event.caller = caller
        event.logLevel = "info"
        return event
    }
}
