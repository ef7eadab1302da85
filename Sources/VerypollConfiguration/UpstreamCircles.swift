internal import SystemPackage
internal import Verypoll

/// Finds servers that are listeners of the same daemon and lead back to their own upstream.
///
/// A connection would circle until the limits of the daemon are reached. A chain of listeners
/// without a circle is allowed. The addresses of host names and of sockets from systemd are not
/// known here; ``OwnConnections`` breaks circles through them.
struct UpstreamCircles {
    /// A server that is part of a circle.
    struct Finding: Equatable {
        package let upstream: String
        package let server: UpstreamAddress
        /// The listener that has the server's address.
        package let listener: String
    }

    /// A server that leads to an upstream.
    private struct Edge {
        let from: Int
        let to: Int
        let finding: Finding
    }

    /// Returns the servers on circles and on paths between circles, in the configured order.
    static func find(
        _ listeners: [ListenerConfiguration],
        _ upstreams: [UpstreamConfiguration]
    ) -> [Finding] {
        let targets = Targets(listeners)
        guard !targets.isEmpty else { return [] }
        let names = upstreams.map(\.name)
        let indices = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
        var edges: [Edge] = []
        for (from, upstream) in upstreams.enumerated() {
            for server in upstream.servers {
                for target in targets.matching(server.address) {
                    guard let to = indices[target.upstream] else { continue }
                    let finding = Finding(
                        upstream: upstream.name,
                        server: server.address,
                        listener: target.listener
                    )
                    edges.append(Edge(from: from, to: to, finding: finding))
                }
            }
        }
        let backward = withoutDeadEnds(edges, count: upstreams.count, from: \.from, to: \.to)
        return withoutDeadEnds(backward, count: upstreams.count, from: \.to, to: \.from)
            .map(\.finding)
    }

    /// Removes the edges that cannot reach a circle, in time proportional to their number.
    private static func withoutDeadEnds(
        _ edges: [Edge],
        count: Int,
        from: KeyPath<Edge, Int>,
        to: KeyPath<Edge, Int>
    ) -> [Edge] {
        var leaving = [Int](repeating: 0, count: count)
        var arriving = [[Int]](repeating: [], count: count)
        for edge in edges {
            leaving[edge[keyPath: from]] += 1
            arriving[edge[keyPath: to]].append(edge[keyPath: from])
        }
        var deadEnds = (0..<count).filter { leaving[$0] == 0 }
        var isDead = [Bool](repeating: false, count: count)
        while let deadEnd = deadEnds.popLast() {
            isDead[deadEnd] = true
            for node in arriving[deadEnd] {
                leaving[node] -= 1
                if leaving[node] == 0 { deadEnds.append(node) }
            }
        }
        return edges.filter { !isDead[$0[keyPath: from]] && !isDead[$0[keyPath: to]] }
    }
}

/// The addresses of listeners with the handler proxy.
private struct Targets {
    struct Target {
        package let listener: String
        package let upstream: String
    }

    private var unix: [UnixAddress: [Target]] = [:]
    private var vsock: [VsockAddress: [Target]] = [:]
    private var ip: [UInt16: [(ip: IPAddress, onlyV6: Bool, target: Target)]] = [:]

    var isEmpty: Bool { unix.isEmpty && vsock.isEmpty && ip.isEmpty }

    init(_ listeners: [ListenerConfiguration]) {
        for listener in listeners {
            for upstream in Set(listener.handler.routing?.upstreams ?? []) {
                add(Target(listener: listener.name, upstream: upstream), of: listener)
            }
        }
    }

    private mutating func add(_ target: Target, of listener: ListenerConfiguration) {
        for address in listener.addresses {
            switch address {
            case .unix(let address): unix[address.normalized, default: []].append(target)
            case .vsock(let address): vsock[address, default: []].append(target)
            case .ip(let address) where address.port != 0:
                ip[address.port, default: []]
                    .append((address.ip.unmapped, listener.socket.onlyV6, target))
            case .ip, .systemd: break
            }
        }
    }

    /// Returns the listeners that a connection to a server's address certainly reaches.
    func matching(_ server: UpstreamAddress) -> [Target] {
        switch server {
        case .unix(let address): unix[address.normalized] ?? []
        case .vsock(let address): matching(address)
        case .ip(let address):
            ip[address.port, default: []]
                .filter { Self.isReached($0.ip, onlyV6: $0.onlyV6, by: address.ip.unmapped) }
                .map(\.target)
        case .host: []
        }
    }

    /// Returns the listeners that a vsock connection certainly reaches; of the CIDs, only that for
    /// this machine itself is known here.
    private func matching(_ server: VsockAddress) -> [Target] {
        let own = vsock[server] ?? []
        guard server.cid == VsockAddress.localCID else { return own }
        return own + (vsock[VsockAddress(cid: VsockAddress.anyCID, port: server.port)] ?? [])
    }

    /// Returns whether a connection to an address reaches a listening address at the same port.
    private static func isReached(
        _ listening: IPAddress,
        onlyV6: Bool,
        by address: IPAddress
    ) -> Bool {
        if listening == address { return true }
        // On Linux, a connection to the unspecified address reaches this machine.
        guard address.isLoopback || address.isUnspecified else { return false }
        guard listening.isUnspecified else {
            return address.isUnspecified && listening.isLoopback
                && listening.family == address.family
        }
        return listening.family == address.family || listening.family == .v6 && !onlyV6
    }
}

extension UnixAddress {
    fileprivate var normalized: UnixAddress {
        if case .path(let path) = self { .path(path.lexicallyNormalized()) } else { self }
    }
}
