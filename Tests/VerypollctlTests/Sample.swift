import VerypollControl

/// Sample data that looks like a busy daemon's.
enum Sample {
    static let start = 1_700_000_000_000_000

    static let status = Status(
        version: "1.2.3",
        pid: 4242,
        startTimestampUSec: start,
        configurationPath: "/etc/verypolld/verypolld.json",
        logLevel: "info",
        state: .running,
        drainDeadlineTimestampUSec: nil,
        note: "session limit reached, listener web paused",
        listeners: [
            Status.Listener(
                name: "echo",
                addresses: [
                    .init(address: "127.0.0.1:7007", origin: .bound),
                    .init(address: "[::1]:7007", origin: .bound),
                ],
                handler: "echo",
                state: .accepting,
                stateReason: nil,
                drainDeadlineTimestampUSec: nil,
                active: 12,
                maxSessions: nil,
                accepted: 5120,
                rejected: 0,
                bytesIn: 123_456_789,
                bytesOut: 1000
            ),
            Status.Listener(
                name: "web",
                addresses: [.init(address: "[::]:8080", origin: .systemd)],
                handler: "discard",
                state: .paused,
                stateReason: "session limit reached",
                drainDeadlineTimestampUSec: nil,
                active: 2,
                maxSessions: 2,
                accepted: 77,
                rejected: 3,
                bytesIn: 5_000_000_000,
                bytesOut: 0
            ),
        ],
        upstreams: upstreams,
        workers: [
            Status.Worker(
                index: 0,
                sessions: 1,
                polls: 100_200,
                events: 200_300,
                wakeUps: 4,
                busyShare: 0.123
            ),
            Status.Worker(
                index: 1,
                sessions: 13,
                polls: 99,
                events: 3,
                wakeUps: 0,
                busyShare: 1
            ),
        ],
        totals: Status.Totals(
            active: 14,
            maxSessions: 100_000,
            accepted: 5197,
            rejected: 3,
            bytesIn: 5_123_456_789,
            bytesOut: 1000
        )
    )

    static let routings = [
        Status.Routing(
            listener: "front",
            inspect: "tls",
            routes: [
                Status.Route(
                    name: "acme",
                    serverNames: nil,
                    alpn: ["acme-tls/1"],
                    upstream: "acme",
                    active: 0,
                    sessions: 3
                ),
                Status.Route(
                    name: "shop",
                    serverNames: ["shop.example.com", "*.shop.example.com"],
                    alpn: nil,
                    upstream: "shop",
                    active: 2,
                    sessions: 40
                ),
                Status.Route(
                    name: "none",
                    serverNames: [""],
                    alpn: nil,
                    upstream: "old",
                    active: 0,
                    sessions: 1
                ),
            ],
            upstream: nil,
            notTLS: "plain"
        ),
        Status.Routing(
            listener: "inner",
            inspect: "postgresql",
            routes: [],
            upstream: "db",
            notTLS: nil
        ),
    ]

    /// Returns sessions that are 1 d 1 h and 90 s old at `now`.
    static func sessions(now: Int) -> SessionList {
        SessionList(
            sessions: [
                Status.Session(
                    id: 7,
                    listener: "echo",
                    worker: 0,
                    peer: "10.0.0.1:50000",
                    local: "127.0.0.1:7007",
                    upstream: nil,
                    server: nil,
                    state: .open,
                    openedTimestampUSec: now - 90_030 * 1_000_000,
                    idleUSec: 61_000_000,
                    bytesIn: 64,
                    bytesOut: 64,
                    buffered: 0
                ),
                Status.Session(
                    id: 12,
                    listener: "web",
                    worker: 1,
                    peer: "[::1]:50001",
                    local: nil,
                    upstream: nil,
                    server: nil,
                    state: .halfClosed,
                    openedTimestampUSec: now - 7_230 * 1_000_000,
                    idleUSec: 1500,
                    bytesIn: 2048,
                    bytesOut: 0,
                    buffered: 1_500_000
                ),
            ],
            truncated: false
        )
    }
}
