package import Logging

/// A server, identified by the slot of its upstream and its index there; see ``LiveConfiguration``.
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
    /// The server with an index.
    package subscript(index: ServerIndex) -> UpstreamServer {
        self[index.upstream].servers[index.server]
    }

    /// Returns the name of a server in messages, with that of its upstream: `app/10.0.0.5:80`.
    package func name(of index: ServerIndex) -> String {
        "\(self[index.upstream].name)/\(self[index].name)"
    }

    /// Returns the metadata of a log entry about a server.
    package func metadata(of index: ServerIndex) -> Logger.Metadata {
        ["upstream": "\(self[index.upstream].name)", "server": "\(self[index].name)"]
    }

    /// Maps values by server object, because the indices of servers change.
    package func byServer<Value>(_ known: [(ServerIndex, Value)]) -> [ObjectIdentifier: Value] {
        Dictionary(
            known.map { (ObjectIdentifier(self[$0]), $1) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The indices of each server: sessions may know it by its index in an earlier configuration.
    package var indicesByServer: [ObjectIdentifier: Set<ServerIndex>] {
        var indices: [ObjectIdentifier: Set<ServerIndex>] = [:]
        for index in serverIndices {
            indices[ObjectIdentifier(self[index]), default: []].insert(index)
        }
        return indices
    }

    /// The indices of all servers, including those that only sessions still have.
    package var serverIndices: [ServerIndex] {
        indices.flatMap { slot in
            self[slot].servers.indices.map { ServerIndex(upstream: slot, server: $0) }
        }
    }

    /// Returns the indices of the servers in effect of some upstreams.
    package func serverIndices(in slots: [Int]) -> [ServerIndex] {
        slots.flatMap { slot in
            self[slot].listed.map { ServerIndex(upstream: slot, server: $0) }
        }
    }
}
