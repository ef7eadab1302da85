internal import Synchronization
package import SystemPackage
package import Verypoll
package import VerypollConfiguration

/// A listening socket that the workers share; it closes when the last of them releases it.
package final class ListeningSocket: Sendable {
    /// A TCP, Unix-domain or vsock listening socket.
    package enum Kind: ~Copyable, Sendable {
        case tcp(TCPListener)
        case unix(UnixListener)
        /// A Unix-domain socket whose file is removed with it.
        case file(FileSocket)
        case vsock(VsockListener)
    }

    private let kind: Kind

    /// The entry of the socket in the descriptor store, if it has one.
    private let stored: Mutex<StoredSocket?>

    /// The address that the socket occupies, if it is a TCP socket.
    package let bound: BoundAddress?

    /// The descriptor, valid as long as this object lives.
    package let descriptor: FileDescriptor

    /// The configured address of the socket.
    package let place: ListenAddress

    /// The address as the configuration writes it, with the port that the kernel assigned.
    package let address: String

    /// The only worker that accepts from the socket, or `nil` if all do.
    package let worker: Int?

    package init(
        _ kind: consuming Kind,
        place: ListenAddress,
        address: String,
        worker: Int?,
        stored: consuming StoredSocket? = nil
    ) {
        self.place = place
        self.address = address
        self.worker = worker
        self.stored = Mutex(stored)
        bound = Self.bound(kind)
        descriptor = Self.descriptor(of: kind)
        self.kind = kind
    }

    package static func descriptor(of kind: borrowing Kind) -> FileDescriptor {
        switch kind {
        case .tcp(let listener): listener.fileDescriptor
        case .unix(let listener): listener.fileDescriptor
        case .file(let socket): socket.listener.fileDescriptor
        case .vsock(let listener): listener.fileDescriptor
        }
    }

    private static func bound(_ kind: borrowing Kind) -> BoundAddress? {
        switch kind {
        case .tcp(let listener):
            guard let address = try? listener.localAddress() else { return nil }
            return BoundAddress(address, isOnlyV6: StoredSocketState.isOnlyV6(listener))
        case .unix: return nil
        case .file: return nil
        case .vsock: return nil
        }
    }

    /// Stores the socket for the next process, for as long as this object lives.
    ///
    /// - Parameter store: Puts the socket into the descriptor store; returns `nil` if the store is
    ///   full.
    package func keep(_ store: () -> StoredSocket?) {
        stored.withLock { $0 = store() }
    }

    /// Removes the socket from the store at once, because the next process must not get it.
    package func leaveStore() {
        stored.withLock { $0?.forget() }
    }

    /// Whether systemd passed the socket, so that systemd holds it as well.
    package var isActivated: Bool {
        if case .systemd = place { true } else { false }
    }

    /// Sets the options that may change while the socket listens: those that connections inherit,
    /// and the backlog.
    ///
    /// Setting the backlog makes a bound socket begin to listen.
    package func apply(_ configuration: ListenerConfiguration) throws(Errno) {
        switch kind {
        case .tcp(let listener):
            try listener.setNoDelay(configuration.socket.noDelay)
            try listener.setKeepAlive(configuration.socket.keepAlive)
            try listener.setUserTimeout(configuration.timeouts.userTimeout)
            // systemd's socket unit sets the backlog of its sockets.
            if !isActivated { try listener.setBacklog(configuration.socket.backlog) }
        case .unix(let listener):
            if !isActivated { try listener.setBacklog(configuration.socket.backlog) }
        case .file(let socket):
            try socket.listener.setBacklog(configuration.socket.backlog)
        case .vsock(let listener):
            if !isActivated { try listener.setBacklog(configuration.socket.backlog) }
        }
    }

    /// Applies the access that a listener requests to the socket's file, if it has one.
    package func applyFileAccess(_ configuration: ListenerConfiguration) throws(FileAccessError) {
        switch kind {
        case .file(let socket): try socket.file.apply(FileAccess(configuration.socket))
        case .tcp: break
        case .unix: break
        case .vsock: break
        }
    }

    /// An accepted connection and the address of the client.
    package struct Accepted: ~Copyable {
        let socket: SessionSocket
        /// The client's address, which the kernel no longer reports after a disconnect; `nil` for a
        /// Unix-domain or vsock client.
        let peer: SocketAddress?
        /// The address of a vsock client, which the kernel no longer reports after a half-close.
        var vsockPeer: VsockAddress?
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
        case .vsock(let listener):
            guard let accepted = try listener.accept() else { return nil }
            let peer = accepted.peer
            return Accepted(socket: .vsock(accepted.stream), peer: nil, vsockPeer: peer)
        }
    }

    /// Watches for connections, level-triggered and exclusively.
    ///
    /// Level-triggered, because a worker accepts a bounded number of connections per turn.
    /// Exclusively, so that a connection does not wake all workers.
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
        case .vsock(let listener):
            try registry.register(listener, token: token, interest: .readable, mode: .exclusive)
        }
    }

    /// Stops watching.
    func deregister(from registry: borrowing Registry) throws(Errno) {
        switch kind {
        case .tcp(let listener): try registry.deregister(listener)
        case .unix(let listener): try registry.deregister(listener)
        case .file(let socket): try registry.deregister(socket.listener)
        case .vsock(let listener): try registry.deregister(listener)
        }
    }
}
