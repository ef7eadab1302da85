#if Net && OSExt
internal import SystemPackage
internal import Verypoll

/// A socket that accepts, shared by the workers; the last of them that lets go of it closes it.
final class ListeningSocket: Sendable {
    /// A listening socket of either kind.
    enum Kind: ~Copyable, Sendable {
        case tcp(TCPListener)
        case unix(UnixListener)
        /// A Unix-domain socket whose file goes with it.
        case file(FileSocket)
    }

    private let kind: Kind

    /// The address as the configuration writes it, with the port that the kernel chose.
    let address: String

    /// The one worker that accepts from it, or `nil` if all do.
    let worker: Int?

    init(_ kind: consuming Kind, address: String, worker: Int?) {
        self.address = address
        self.worker = worker
        self.kind = kind
    }

    /// A connection and where it came from.
    struct Accepted: ~Copyable {
        let socket: SessionSocket
        /// The address of the other end, which the kernel forgets once it has gone; `nil` for a
        /// Unix-domain client.
        let peer: SocketAddress?
    }

    /// Takes the next connection off the backlog; `nil` if none is waiting.
    func accept() throws(Errno) -> Accepted? {
        switch kind {
        case .tcp(let listener):
            guard let accepted = try listener.accept() else { return nil }
            let peer = accepted.peer
            return Accepted(socket: .tcp(accepted.stream), peer: peer)
        case .unix(let listener):
            guard let accepted = try listener.accept() else { return nil }
            return Accepted(socket: .unix(accepted.stream), peer: nil)
        case .file(let socket):
            guard let accepted = try socket.listener.accept() else { return nil }
            return Accepted(socket: .unix(accepted.stream), peer: nil)
        }
    }

    /// Watches for connections; level-triggered, so that a bounded number of them may be taken a
    /// turn, and exclusive, so that a connection does not wake all workers.
    func register(with registry: borrowing Registry, token: Token) throws(Errno) {
        switch kind {
        case .tcp(let listener):
            try registry.register(listener, token: token, interest: .readable, mode: .exclusive)
        case .unix(let listener):
            try registry.register(listener, token: token, interest: .readable, mode: .exclusive)
        case .file(let socket):
            try registry.register(
                socket.listener,
                token: token,
                interest: .readable,
                mode: .exclusive
            )
        }
    }

    /// Stops watching.
    func deregister(from registry: borrowing Registry) throws(Errno) {
        switch kind {
        case .tcp(let listener): try registry.deregister(listener)
        case .unix(let listener): try registry.deregister(listener)
        case .file(let socket): try registry.deregister(socket.listener)
        }
    }
}
#endif
