internal import Logging

/// A server, by the slot of its upstream and its own place there; see ``Roster``.
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

    /// Finds what is known of servers by the servers themselves, whose places change.
    func byServer<Value>(_ known: [(ServerIndex, Value)]) -> [ObjectIdentifier: Value] {
        Dictionary(
            known.map { (ObjectIdentifier(self[$0]), $1) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The places of all servers.
    var serverIndices: [ServerIndex] { serverIndices(in: [Int](0..<count)) }

    /// The places of the servers of some upstreams.
    func serverIndices(in slots: [Int]) -> [ServerIndex] {
        slots.flatMap { slot in
            self[slot].servers.indices.map { ServerIndex(upstream: slot, server: $0) }
        }
    }
}
