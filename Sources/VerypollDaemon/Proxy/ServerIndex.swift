internal import Logging

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

    /// What the log says of an event beside its text, if it is about a server.
    func metadata(of index: ServerIndex) -> Logger.Metadata {
        ["upstream": "\(self[index.upstream].name)", "server": "\(self[index].name)"]
    }

    /// The places of all servers.
    var serverIndices: [ServerIndex] {
        enumerated().flatMap { upstream, content in
            content.servers.indices.map { ServerIndex(upstream: upstream, server: $0) }
        }
    }
}
