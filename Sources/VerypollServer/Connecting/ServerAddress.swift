package import Verypoll

/// The address of a server of an upstream.
package enum ServerAddress: Hashable, Sendable {
    /// A TCP socket.
    case tcp(SocketAddress)
    /// A Unix-domain stream socket.
    case unix(UnixAddress)
}

extension ServerAddress: CustomStringConvertible {
    /// The address as the configuration writes it.
    package var description: String {
        switch self {
        case .tcp(let address): address.description
        case .unix(let address): "unix:\(address)"
        }
    }
}

extension ServerAddress {
    /// Returns the address with another port; a Unix-domain address stays as it is.
    func replacingPort(with port: UInt16?) -> ServerAddress {
        guard let port, case .tcp(let address) = self else { return self }
        return .tcp(SocketAddress(address.ip, port: port, zone: address.zone))
    }
}
