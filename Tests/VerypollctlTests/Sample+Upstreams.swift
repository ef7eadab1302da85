import VerypollControl

extension Sample {
    /// A working upstream, and one whose server is not resolved.
    static let upstreams = [
        Status.Upstream(
            name: "app",
            balance: "roundRobin",
            active: 12,
            maxSessions: nil,
            waiting: 0,
            servers: [
                server("10.0.0.1:80", active: 8),
                server(
                    "app.internal:80",
                    resolved: ["10.0.0.5:80", "[2001:db8::5]:80"],
                    active: 4
                ),
                server(
                    "unix:/run/app.sock",
                    weight: 2,
                    isBackup: true,
                    state: .down,
                    reason: "No such file or directory"
                ),
            ]
        ),
        Status.Upstream(
            name: "db",
            balance: "leastSessions",
            active: 5,
            maxSessions: 5,
            waiting: 3,
            servers: [
                server("10.0.0.9:5432", state: .ejected, reason: nil),
                server("db.internal:5432", resolved: [], state: .unresolved, reason: "no answer"),
            ]
        ),
    ]

    private static func server(
        _ address: String,
        resolved: [String]? = nil,
        weight: Int = 1,
        isBackup: Bool = false,
        state: Status.Server.State = .up,
        reason: String? = nil,
        active: Int = 0
    ) -> Status.Server {
        Status.Server(
            address: address,
            resolvedAddresses: resolved ?? [address],
            weight: weight,
            backup: isBackup,
            mode: .up,
            state: state,
            stateReason: reason,
            stateTimestampUSec: start,
            active: active,
            sessions: 100 * active,
            failures: 1,
            bytesIn: 2048,
            bytesOut: 512
        )
    }
}
