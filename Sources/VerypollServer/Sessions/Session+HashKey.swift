internal import Verypoll
internal import VerypollConfiguration

extension Session {
    /// Returns the key by which the balance `sourceHash` chooses the session's server.
    ///
    /// Everything that the key depends on is in the session's record, so a session that still looks
    /// for a server after a restart has the same key.
    mutating func hashKey(for kind: UpstreamConfiguration.HashKey) -> UInt64 {
        switch kind {
        case .source: break
        case .serverName:
            if let announced, !announced.serverName.isEmpty {
                return SourceHash.key(serverName: announced.serverName)
            }
        case .destination: return SourceHash.key(localIP)
        }
        return SourceHash.key(peer?.ip)
    }

    /// The address to which the client connected, or the one in its PROXY header.
    private var localIP: IPAddress? {
        if let destination { return destination.ip }
        return switch client.socket {
        case .tcp(let stream): (try? stream.localAddress())?.ip
        case .unix: nil
        case .vsock: nil
        case .none: nil
        }
    }
}
