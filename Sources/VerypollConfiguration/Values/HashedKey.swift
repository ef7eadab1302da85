internal import Console
package import Verypoll

/// A key of the balance `sourceHash`, as operators write it.
package enum HashedKey: Hashable, Sendable {
    /// A client's address, or the address to which it connects.
    case address(IPAddress)
    /// The name that a TLS client asks for, as ``ServerName/normalize(_:)`` returns it.
    case serverName(String)

    /// Reads an IP address without a port, or the name of a server.
    ///
    /// - Throws: `InvalidValue` if the text is neither.
    package init(_ text: String) throws(InvalidValue) {
        if let address = IPAddress(text) {
            self = .address(address.unmapped)
            return
        }
        var name = Array(text.utf8)
        guard ServerName.normalize(&name) else {
            throw InvalidValue(
                "\(text.quoted) is neither an IP address without a port nor the name of a server;"
                    + " write a key such as \"192.0.2.7\" or \"shop.example.com\""
            )
        }
        self = .serverName(String(decoding: name, as: UTF8.self))
    }

    /// Returns whether an upstream can choose by the key.
    package func matches(_ kind: UpstreamConfiguration.HashKey) -> Bool {
        switch self {
        case .address: kind == .source || kind == .destination
        case .serverName: kind == .serverName
        }
    }
}

extension HashedKey: CustomStringConvertible {
    package var description: String {
        switch self {
        case .address(let address): address.description
        case .serverName(let name): name
        }
    }
}
