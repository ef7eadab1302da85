/// A server, by the places of its upstream and of itself in the configuration.
struct ServerIndex: Hashable, Sendable {
    let upstream: Int
    let server: Int
}

extension [Upstream] {
    /// The server at these places.
    subscript(index: ServerIndex) -> UpstreamServer {
        self[index.upstream].servers[index.server]
    }

    /// The places of all servers.
    var serverIndices: [ServerIndex] {
        enumerated().flatMap { upstream, content in
            content.servers.indices.map { ServerIndex(upstream: upstream, server: $0) }
        }
    }
}
