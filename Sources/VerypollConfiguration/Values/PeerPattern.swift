internal import Console
package import Verypoll

/// The clients that an operator selects by their addresses.
package enum PeerPattern: Hashable, Sendable {
    /// Clients with an address in this block, with any port.
    case block(AddressPrefix)
    /// The client with this address and port.
    case endpoint(SocketAddress)
    /// The Unix-domain client with this description, such as `unix:pid=12,uid=1000`.
    case description(String)
    /// The vsock clients with this CID and, unless it is `nil`, this port.
    case vsock(cid: UInt32, port: UInt32?)

    /// Reads an address, an address with a port, a block such as `10.0.0.0/8`, or the description
    /// of a Unix-domain client, or a vsock address with or without its port.
    ///
    /// - Throws: `InvalidValue` if the text is none of these.
    package init(_ text: String) throws(InvalidValue) {
        if text.hasPrefix("unix:") || text == "unix" {
            self = .description(text)
        } else if let rest = text.dropPrefix("vsock:") {
            self = try Self.vsock(rest, of: text)
        } else if let endpoint = SocketAddress(text) {
            self = .endpoint(endpoint)
        } else if text.contains("/") {
            self = .block(try AddressPrefix(text))
        } else if let address = IPAddress(text) ?? SocketAddress(text + ":0")?.ip {
            self = .block(try AddressPrefix("\(address.unmapped)"))
        } else {
            throw InvalidValue(
                "\(text.quoted) is not a valid client; write an address such as \"10.0.0.1\", an"
                    + " address and a port such as \"10.0.0.1:4711\", a block such as"
                    + " \"10.0.0.0/8\", or \"unix:pid=12,uid=1000\""
            )
        }
    }

    private static func vsock(_ rest: String, of text: String) throws(InvalidValue) -> PeerPattern {
        if let cid = VsockAddress("\(rest):0")?.cid, !rest.isEmpty, cid != VsockAddress.anyCID {
            return .vsock(cid: cid, port: nil)
        }
        guard let address = VsockAddress(rest), address.cid != VsockAddress.anyCID else {
            throw InvalidValue(
                "\(text.quoted) is not a valid vsock client; write its CID such as \"vsock:3\", or"
                    + " its address such as \"vsock:3:4711\""
            )
        }
        return .vsock(cid: address.cid, port: address.port)
    }

    /// Returns whether the pattern matches a vsock client.
    package func matches(_ peer: VsockAddress) -> Bool {
        guard case .vsock(let cid, let port) = self else { return false }
        return cid == peer.cid && (port == nil || port == peer.port)
    }

    /// Returns whether the pattern matches a client with an IP address.
    ///
    /// An IPv4-mapped IPv6 address counts as IPv4.
    package func matches(_ peer: SocketAddress) -> Bool {
        switch self {
        case .block(let block): block.contains(peer.ip)
        case .endpoint(let endpoint):
            peer.port == endpoint.port && peer.ip.unmapped == endpoint.ip.unmapped
                && (endpoint.zone == 0 || peer.zone == endpoint.zone)
        case .description, .vsock: false
        }
    }
}
