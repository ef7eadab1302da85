internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollServer

/// A listening socket that was passed to this process and that no listener has claimed yet.
///
/// The descriptor closes with this value. The socket keeps listening, because the service manager
/// holds a duplicate.
final class InheritedSocket {
    /// The place at which a socket listens.
    enum Place {
        case ip(SocketAddress, BoundAddress)
        case unix(UnixAddress)
        case vsock(VsockAddress)
    }

    /// The name under which the socket was passed.
    let name: String
    let place: Place
    /// The descriptor, valid while this value or the socket made from it exists.
    let descriptor: FileDescriptor
    private var kind: ListeningSocket.Kind?

    /// Takes ownership of a passed descriptor.
    ///
    /// - Throws: `Errno` if the descriptor is not a listening stream socket. In that case, the
    ///   descriptor is closed.
    init(_ activated: ActivatedSocket) throws(Errno) {
        name = activated.name
        let owned = OwnedFD(adopting: activated.descriptor)
        let kind = try ListeningSocket.Kind(adopting: owned)
        descriptor = ListeningSocket.descriptor(of: kind)
        switch kind {
        case .unix(let listener): place = .unix(try listener.localAddress())
        case .file(let socket): place = .unix(try socket.listener.localAddress())
        case .vsock(let listener): place = .vsock(try listener.localAddress())
        case .tcp(let listener):
            let address = try listener.localAddress()
            let isOnlyV6 = StoredSocketState.isOnlyV6(listener)
            place = .ip(address, BoundAddress(address, isOnlyV6: isOnlyV6))
        }
        self.kind = consume kind
    }

    /// The IP address and port that the socket occupies; `nil` for a Unix-domain or vsock socket.
    var bound: BoundAddress? {
        if case .ip(_, let bound) = place { bound } else { nil }
    }

    /// The address in the notation of the configuration.
    var address: String {
        switch place {
        case .ip(let address, _): address.description
        case .unix(let address): "unix:\(address)"
        case .vsock(let address): "vsock:\(address)"
        }
    }

    /// Hands the socket to the caller, or returns `nil` if that was done before.
    func take() -> ListeningSocket.Kind? { kind.take() }

    /// Closes this process's copy of the socket, unless it was taken.
    func close() { kind = nil }
}
