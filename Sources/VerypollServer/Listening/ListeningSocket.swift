internal import Synchronization
package import SystemPackage
package import Verypoll
package import VerypollConfiguration

/// A socket that accepts, shared by the workers; the last of them that lets go of it closes it.
package final class ListeningSocket: Sendable {
    /// A listening socket of either kind.
    package enum Kind: ~Copyable, Sendable {
        case tcp(TCPListener)
        case unix(UnixListener)
        /// A Unix-domain socket whose file goes with it.
        case file(FileSocket)
    }

    private let kind: Kind

    /// Its place in the descriptor store, if it has one.
    private let stored: Mutex<StoredSocket?>

    /// The address that it keeps others from, if it is a TCP socket.
    package let bound: BoundAddress?

    /// Its descriptor, valid for as long as this value.
    package let descriptor: FileDescriptor

    /// Where the configuration says that it is.
    package let place: ListenAddress

    /// The address as the configuration writes it, with the port that the kernel chose.
    package let address: String

    /// The one worker that accepts from it, or `nil` if all do.
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

    private static func descriptor(of kind: borrowing Kind) -> FileDescriptor {
        switch kind {
        case .tcp(let listener): listener.fileDescriptor
        case .unix(let listener): listener.fileDescriptor
        case .file(let socket): socket.listener.fileDescriptor
        }
    }

    private static func bound(_ kind: borrowing Kind) -> BoundAddress? {
        switch kind {
        case .tcp(let listener):
            guard let address = try? listener.localAddress() else { return nil }
            return BoundAddress(address, isOnlyV6: StoredSocketState.isOnlyV6(listener))
        case .unix: return nil
        case .file: return nil
        }
    }

    /// Keeps it for the next process, for as long as this value lives.
    ///
    /// - Parameter store: Puts it into the store; `nil` if there is no room.
    package func keep(_ store: () -> StoredSocket?) {
        stored.withLock { $0 = store() }
    }

    /// Takes it out of the store at once: the next process must not have it.
    package func leaveStore() {
        stored.withLock { $0?.forget() }
    }

    /// Whether it is systemd's, so that others hold it as well.
    package var isActivated: Bool {
        if case .systemd = place { true } else { false }
    }

    /// Sets what can be set while it listens: what connections inherit, and how many may wait.
    ///
    /// One that is bound and does not listen yet does so from then on.
    package func apply(_ configuration: ListenerConfiguration) throws(Errno) {
        switch kind {
        case .tcp(let listener):
            try listener.setNoDelay(configuration.socket.noDelay)
            try listener.setKeepAlive(configuration.socket.keepAlive)
            try listener.setUserTimeout(configuration.timeouts.userTimeout)
            // That of systemd's sockets is their unit's.
            if !isActivated { try listener.setBacklog(configuration.socket.backlog) }
        case .unix(let listener):
            if !isActivated { try listener.setBacklog(configuration.socket.backlog) }
        case .file(let socket):
            try socket.listener.setBacklog(configuration.socket.backlog)
        }
    }

    /// Gives its file, if it has one, the access that a listener asks for.
    package func applyFileAccess(_ configuration: ListenerConfiguration) throws(FileAccessError) {
        switch kind {
        case .file(let socket): try socket.file.apply(FileAccess(configuration.socket))
        case .tcp: break
        case .unix: break
        }
    }

    /// A connection and where it came from.
    package struct Accepted: ~Copyable {
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
