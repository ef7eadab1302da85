internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollServer

/// A listening socket that was passed to this process and that no listener has claimed yet.
///
/// It closes with this value, which ends nothing: the service manager holds a duplicate.
final class InheritedSocket {
    /// Where it listens.
    enum Place {
        case ip(SocketAddress, BoundAddress)
        case unix(UnixAddress)
    }

    /// The name that it was passed under.
    let name: String
    let place: Place
    /// Valid for as long as this value, or the socket that was made of it.
    let descriptor: FileDescriptor
    private var kind: ListeningSocket.Kind?

    /// Takes a descriptor over.
    ///
    /// - Throws: If it is no listening stream socket; it is closed then.
    init(_ activated: ActivatedSocket) throws(Errno) {
        name = activated.name
        let owned = OwnedFD(adopting: activated.descriptor)
        // An attempt takes the descriptor over, so the first is made on a second one.
        let copy = try owned.duplicate()
        do throws(Errno) {
            let listener = try UnixListener(adopting: copy)
            place = .unix(try listener.localAddress())
            descriptor = listener.fileDescriptor
            kind = .unix(listener)
        } catch .addressFamilyNotSupported {
            let listener = try TCPListener(adopting: owned)
            let address = try listener.localAddress()
            let isOnlyV6 = StoredSocketState.isOnlyV6(listener)
            place = .ip(address, BoundAddress(address, isOnlyV6: isOnlyV6))
            descriptor = listener.fileDescriptor
            kind = .tcp(listener)
        }
    }

    /// The address that it keeps others from.
    var bound: BoundAddress? {
        if case .ip(_, let bound) = place { bound } else { nil }
    }

    /// The address as the configuration writes it.
    var address: String {
        switch place {
        case .ip(let address, _): address.description
        case .unix(let address): "unix:\(address)"
        }
    }

    /// Gives the socket away; `nil` if that was done before.
    func take() -> ListeningSocket.Kind? { kind.take() }
}
