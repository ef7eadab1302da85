import VerypollControl

extension Sample {
    /// The key of ``rankings``.
    static let rankedKey = "192.0.2.7"

    /// The servers of two upstreams for one address.
    static let rankings = [
        Status.Ranking(
            upstream: "app",
            hashKey: "source",
            servers: [
                ranked("10.0.0.3:80"),
                ranked("app.internal:80", weight: 0.55, state: .unchecked),
                ranked("unix:/run/app.sock", isBackup: true),
                ranked("10.0.0.2:80", isUsable: false, isFull: true),
                ranked("10.0.0.1:80", isUsable: false, mode: .drain),
            ]
        ),
        Status.Ranking(
            upstream: "db",
            hashKey: "destination",
            servers: [ranked("10.0.0.9:5432", isUsable: false, weight: 2, state: .down)]
        ),
    ]

    private static func ranked(
        _ address: String,
        isUsable: Bool = true,
        weight: Double = 1,
        isBackup: Bool = false,
        mode: Status.Server.Mode = .up,
        state: Status.Server.State = .up,
        isFull: Bool = false
    ) -> Status.RankedServer {
        Status.RankedServer(
            address: address,
            usable: isUsable,
            weight: weight,
            backup: isBackup,
            mode: mode,
            state: state,
            full: isFull
        )
    }
}
