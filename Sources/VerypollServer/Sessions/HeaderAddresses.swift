internal import Verypoll

/// The addresses that a session has because of its PROXY header, besides that of its client.
///
/// An object, so that sessions without a header store only a reference.
final class HeaderAddresses {
    /// The destination address in the header.
    var destination: SocketAddress?
    /// The address that has sent the header.
    var sender: SocketAddress?
}

/// The objects of ended sessions, for later ones; so a steady stream of sessions allocates none.
struct HeaderAddressesPool: ~Copyable {
    /// The most objects that a worker keeps.
    private static let limit = 512

    private var unused: [HeaderAddresses] = []

    init() { unused.reserveCapacity(Self.limit) }

    /// Returns an object with these addresses.
    mutating func take(sender: SocketAddress?, destination: SocketAddress?) -> HeaderAddresses {
        let addresses = unused.popLast() ?? HeaderAddresses()
        addresses.sender = sender
        addresses.destination = destination
        return addresses
    }

    /// Takes an object back.
    mutating func give(_ addresses: HeaderAddresses) {
        if unused.count < Self.limit { unused.append(addresses) }
    }
}
