internal import VerypollConfiguration
internal import VerypollServer

// Servers that services name, which change without a reload; see `ServerPlaces`.

extension LiveConfiguration {
    /// Replaces the upstreams whose services have named other servers, in their slots.
    ///
    /// - Parameter configuration: The configuration in effect, with the servers of the services.
    /// - Returns: Whether there was a difference.
    mutating func replaceServers(_ configuration: Configuration) -> Bool {
        let next = Dictionary(named: configuration.upstreams, by: \.name)
        let former = upstreams
        upstreams = former.map { entry in
            guard let new = next[entry.configuration.name], !new.services.isEmpty else {
                return entry
            }
            return keep(entry, as: new)
        }
        guard zip(former, upstreams).contains(where: { $0.configuration != $1.configuration })
        else { return false }
        // A new server may have the memory, and so the identifier, of one that is gone.
        let present = Set(snapshot.upstreams.serverIndices.map(id(of:)))
        serverDrains = serverDrains.filter { present.contains($0.key) }
        beginDrains(
            DrainWindow(
                from: MonotonicClock.milliseconds(),
                lasting: configuration.drain.deadline.milliseconds
            )
        )
        renewSnapshot()
        return true
    }

    /// Marks the servers as removed that services no longer name.
    ///
    /// - Returns: All indices of these servers.
    func removeServers() -> Set<ServerIndex> {
        let gone = upstreams.flatMap { entry in
            let upstream = upstream(of: entry)
            return upstream.removed.map { upstream.servers[$0] }.filter { !$0.isRemoved }
        }
        for server in gone { server.isRemoved = true }
        return indices(of: gone)
    }

    /// All indices of the servers that were removed and are named again; see ``applyLimits()``.
    var returningServers: Set<ServerIndex> {
        indices(of: upstreams.flatMap { upstream(of: $0).listedServers.filter(\.isRemoved) })
    }

    private func indices(of servers: [UpstreamServer]) -> Set<ServerIndex> {
        guard !servers.isEmpty else { return [] }
        let all = snapshot.upstreams.indicesByServer
        return Set(servers.flatMap { all[ObjectIdentifier($0)] ?? [] })
    }

    private func id(of index: ServerIndex) -> ObjectIdentifier {
        ObjectIdentifier(snapshot.upstreams[index])
    }
}
