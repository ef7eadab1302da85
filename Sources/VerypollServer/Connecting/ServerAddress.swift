package import Verypoll

/// The address of a server of an upstream.
package enum ServerAddress: Hashable, Sendable {
    /// A TCP socket.
    case tcp(SocketAddress)
    /// A Unix-domain stream socket.
    case unix(UnixAddress)
    /// A vsock stream socket.
    case vsock(VsockAddress)
}

extension ServerAddress: CustomStringConvertible {
    /// The address as the configuration writes it.
    package var description: String {
        switch self {
        case .tcp(let address): address.description
        case .unix(let address): "unix:\(address)"
        case .vsock(let address): "vsock:\(address)"
        }
    }
}

extension ServerAddress {
    /// Returns the address with another port; a Unix-domain address stays as it is.
    func replacingPort(with port: UInt16?) -> ServerAddress {
        guard let port else { return self }
        return switch self {
        case .tcp(let address):
            .tcp(SocketAddress(address.ip, port: port, zone: address.zone))
        case .vsock(let address): .vsock(VsockAddress(cid: address.cid, port: UInt32(port)))
        case .unix: self
        }
    }
}
