internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension UpstreamMonitor {
    /// Returns whether an upstream is in effect.
    func isInEffect(_ name: String) -> Bool { current.contains { $0.name == name } }

    /// Returns the servers that upstreams with the balance `sourceHash` choose for a key now.
    ///
    /// - Parameters:
    ///   - key: The key; upstreams that choose by another kind of key are left out.
    ///   - name: The name of an upstream in effect; `nil` for all.
    /// - Returns: The rankings, sorted by the names of the upstreams.
    mutating func rankings(for key: HashedKey, upstream name: String?) -> [Status.Ranking] {
        var rankings: [Status.Ranking] = []
        for slot in slots {
            let upstream = upstreams[slot]
            let configuration = upstream.configuration
            guard configuration.balance == .sourceHash, key.matches(configuration.hashKey),
                name ?? upstream.name == upstream.name
            else { continue }
            var servers: [Status.RankedServer] = []
            for ranked in upstream.ranking(for: key, now: MonotonicClock.milliseconds()) {
                let status = status(of: ServerIndex(upstream: slot, server: ranked.index))
                servers.append(
                    Status.RankedServer(
                        address: status.address,
                        usable: ranked.isUsable,
                        weight: ranked.weight,
                        backup: status.backup,
                        mode: status.mode,
                        state: status.state,
                        full: ranked.isFull
                    )
                )
            }
            let hashKey = configuration.hashKey.rawValue
            rankings.append(
                Status.Ranking(upstream: upstream.name, hashKey: hashKey, servers: servers)
            )
        }
        return rankings.sorted { $0.upstream < $1.upstream }
    }
}
