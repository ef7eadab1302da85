package import Logging

/// A server, by the slot of its upstream and its own place there; see ``LiveConfiguration``.
package struct ServerIndex: Hashable, Sendable {
    package let upstream: Int
    package let server: Int

    package init(
        upstream: Int,
        server: Int
    ) {
        self.upstream = upstream
        self.server = server
    }
}

extension [Upstream] {
    /// The server at these places.
    package subscript(index: ServerIndex) -> UpstreamServer {
        self[index.upstream].servers[index.server]
    }

    /// What the log says of an event beside its text, if it is about a server.
    package func metadata(of index: ServerIndex) -> Logger.Metadata {
        ["upstream": "\(self[index.upstream].name)", "server": "\(self[index].name)"]
    }

    /// Finds what is known of servers by the servers themselves, whose places change.
    package func byServer<Value>(_ known: [(ServerIndex, Value)]) -> [ObjectIdentifier: Value] {
        Dictionary(
            known.map { (ObjectIdentifier(self[$0]), $1) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The places of all servers.
    package var serverIndices: [ServerIndex] { serverIndices(in: [Int](0..<count)) }

    /// The places of the servers of some upstreams.
    package func serverIndices(in slots: [Int]) -> [ServerIndex] {
        slots.flatMap { slot in
            self[slot].servers.indices.map { ServerIndex(upstream: slot, server: $0) }
        }
    }
}
