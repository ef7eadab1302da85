internal import Synchronization
internal import VerypollConfiguration

// The indices of an upstream's servers.
//
// Sessions know their server by its index. If a service names other servers, the new upstream
// replaces the former one in the same slot, because the sessions that wait must find the new
// servers and a slot for each answer would be too many. So the indices are stable: a server keeps
// its index until its last session has ended, even if no record names it any more. Meanwhile no
// session chooses it. If it is named again, it is in service again.
//
// The index of a server that was removed is reused once no session has it. A worker that has not
// adopted the former upstream yet could still choose the server, so the next upstream may only be
// made once all workers have adopted the former one.

/// The servers of an upstream by their indices.
struct ServerPlaces {
    typealias Settings = UpstreamConfiguration.Server

    private(set) var servers: [UpstreamServer] = []
    /// The settings of the servers; `nil` for one that is kept for its sessions only.
    private(set) var settings: [Settings?] = []

    /// The indices of the servers that the configuration lists, in its order.
    private(set) var listed: [Int] = []

    /// Assigns new indices; servers that a former upstream has too are shared.
    init(_ configuration: UpstreamConfiguration, workers: Int, former: Upstream?) {
        let known = Dictionary(grouping: former?.servers ?? [], by: \.target)
        let passive = configuration.passive
        for setting in configuration.servers {
            let candidates = known[setting.address] ?? []
            servers.append(
                candidates.first { $0.isSame(as: setting, passive: passive) }
                    ?? UpstreamServer(
                        setting,
                        passive: passive,
                        workers: workers,
                        former: candidates.first
                    )
            )
            settings.append(setting)
            if !setting.isProvisional { listed.append(settings.endIndex - 1) }
        }
    }

    /// Keeps the indices of a former upstream, which all workers have adopted.
    init(_ configuration: UpstreamConfiguration, workers: Int, replacing former: Upstream) {
        servers = former.servers
        settings = Array(repeating: nil, count: servers.count)
        let known = Dictionary(grouping: servers.indices) { former.servers[$0].target }
        let passive = configuration.passive
        var added: [(setting: Settings, order: Int)] = []
        var places = [Int](repeating: -1, count: configuration.servers.count)
        for (order, setting) in configuration.servers.enumerated() {
            let place = known[setting.address]?.first {
                settings[$0] == nil && servers[$0].isSame(as: setting, passive: passive)
            }
            guard let place else {
                added.append((setting, order))
                continue
            }
            settings[place] = setting
            places[order] = place
        }
        var free = former.unusedIndices.filter { settings[$0] == nil }[...]
        for (setting, order) in added {
            let server = UpstreamServer(
                setting,
                passive: passive,
                workers: workers,
                former: known[setting.address]?.first.map { former.servers[$0] }
            )
            if let place = free.popFirst() {
                (servers[place], settings[place], places[order]) = (server, setting, place)
            } else {
                places[order] = servers.endIndex
                servers.append(server)
                settings.append(setting)
            }
        }
        let unused = Set(free)
        while let last = servers.indices.last, unused.contains(last) {
            servers.removeLast()
            settings.removeLast()
        }
        for (place, setting) in zip(places, configuration.servers) where !setting.isProvisional {
            listed.append(place)
        }
    }
}

extension Upstream {
    /// The indices of removed servers without sessions, in ascending order.
    fileprivate var unusedIndices: [Int] {
        servers.indices.filter { index in
            settings[index] == nil
                && servers[index].active.load(ordering: .sequentiallyConsistent) == 0
        }
    }
}

extension Upstream {
    /// Returns the turns of the balancer for the servers of the upstream that replaces this one.
    func turns(for servers: [UpstreamServer]) -> Balancer.Turns {
        var turns = choice.withLock { $0.balancer.turns }
        turns.credits = servers.indices.map { index in
            let isKept = index < self.servers.count && self.servers[index] === servers[index]
            return isKept ? turns.credits[index] : 0
        }
        let weights = servers.map { $0.weight.load(ordering: .relaxed) }
        turns.limit = max(1, weights.reduce(0, +)) * SlowStart.unit
        return turns
    }
}
