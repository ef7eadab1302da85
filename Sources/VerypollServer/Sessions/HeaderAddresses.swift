internal import Verypoll

/// The addresses that a session has because of its PROXY header, besides that of its client, or
/// because its client uses vsock.
///
/// An object, so that all other sessions store only a reference.
final class HeaderAddresses {
    /// The destination address in the header.
    var destination: SocketAddress?
    /// The address that has sent the header.
    var sender: SocketAddress?
    /// The address of a vsock client.
    var vsockPeer: VsockAddress?
}

/// The objects of ended sessions, for later ones; so a steady stream of sessions allocates none.
struct HeaderAddressesPool: ~Copyable {
    /// The most objects that a worker keeps.
    private static let limit = 512

    private var unused: [HeaderAddresses] = []

    init() { unused.reserveCapacity(Self.limit) }

    /// Returns an object with these addresses.
    mutating func take(
        sender: SocketAddress? = nil,
        destination: SocketAddress? = nil,
        vsockPeer: VsockAddress? = nil
    ) -> HeaderAddresses {
        let addresses = unused.popLast() ?? HeaderAddresses()
        addresses.sender = sender
        addresses.destination = destination
        addresses.vsockPeer = vsockPeer
        return addresses
    }

    /// Takes an object back.
    mutating func give(_ addresses: HeaderAddresses) {
        if unused.count < Self.limit { unused.append(addresses) }
    }
}
