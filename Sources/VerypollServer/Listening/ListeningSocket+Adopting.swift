package import SystemPackage
package import Verypoll

extension ListeningSocket.Kind {
    /// Takes ownership of a listening stream socket of any family that a listener can have.
    ///
    /// - Throws: See `TCPListener.init(adopting:)`. On error, the descriptor is closed.
    package init(adopting socket: consuming OwnedFD) throws(Errno) {
        // Each attempt consumes a descriptor, so all but the last use a duplicate.
        let first = try socket.duplicate()
        do throws(Errno) {
            self = .unix(try UnixListener(adopting: first))
            return
        } catch .addressFamilyNotSupported {}
        let second = try socket.duplicate()
        do throws(Errno) {
            self = .vsock(try VsockListener(adopting: second))
            return
        } catch .addressFamilyNotSupported {}
        self = .tcp(try TCPListener(adopting: socket))
    }

    /// Returns the address that the socket is bound to, as the configuration writes it.
    package func localAddress() throws(Errno) -> String {
        switch self {
        case .tcp(let listener): try listener.localAddress().description
        case .unix(let listener): "unix:\(try listener.localAddress())"
        case .file(let socket): "unix:\(try socket.listener.localAddress())"
        case .vsock(let listener): "vsock:\(try listener.localAddress())"
        }
    }
}
