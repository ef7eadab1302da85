internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

extension ListenerConfiguration {
    /// Returns whether a socket of the previous process fits an address of this listener.
    func accepts(_ socket: InheritedSocket, at address: ListenAddress) -> Bool {
        switch (socket.place, address) {
        case (.ip(let present, let bound), .ip(let wanted)):
            let isOnlyV6 = self.socket.isOnlyV6(at: wanted.ip)
            return present.ip == wanted.ip
                && (wanted.port == 0 || present.port == wanted.port)
                && bound == BoundAddress(present, isOnlyV6: isOnlyV6)
        case (.unix(let present), .unix(let wanted)): return present == wanted
        case (.vsock(let present), .vsock(let wanted)):
            return present.cid == wanted.cid
                && (wanted.port == VsockAddress.anyPort || present.port == wanted.port)
        default: return false
        }
    }

    /// Turns a socket of the previous process into a socket of this process.
    ///
    /// - Parameters:
    ///   - inherited: A socket that the listener accepts; see ``accepts(_:at:)``.
    ///   - address: The address as configured.
    ///   - worker: The only worker that accepts from the socket, or `nil` if all workers do.
    ///   - handoffStore: The store that keeps the socket.
    /// - Returns: `nil` if the socket cannot be used.
    func adopt(
        _ inherited: InheritedSocket,
        at address: ListenAddress,
        worker: Int?,
        _ handoffStore: HandoffStore
    ) -> ListeningSocket? {
        guard let kind = inherited.take() else { return nil }
        do throws(Errno) {
            let socket = ListeningSocket(
                try Self.withFile(kind, at: address, handoffStore),
                place: address,
                address: inherited.address,
                worker: worker,
                stored: handoffStore.adopt(inherited.name)
            )
            try socket.apply(self)
            try socket.setDeferral(self.socket.deferAccept)
            return socket
        } catch {
            return nil
        }
    }

    /// Attaches the socket's file, if the address is a path.
    ///
    /// - Throws: `Errno` if the file is missing, because no client could find the socket.
    private static func withFile(
        _ kind: consuming ListeningSocket.Kind,
        at address: ListenAddress,
        _ handoffStore: HandoffStore
    ) throws(Errno) -> ListeningSocket.Kind {
        guard case .unix(.path(let path)) = address else { return kind }
        let file = try SocketFile(path: path, keeper: handoffStore, isInherited: true)
        switch consume kind {
        case .unix(let listener): return .file(FileSocket(listener, file))
        case .tcp(let listener): return .tcp(listener)
        case .file(let socket): return .file(socket)
        case .vsock(let listener): return .vsock(listener)
        }
    }
}

extension ListeningSocket {
    /// Sets how long a connection without data stays out of the backlog, on a socket that this
    /// process did not bind.
    fileprivate func setDeferral(_ time: Duration?) throws(Errno) {
        guard bound != nil else { return }
        let seconds = time.map { Int($0.milliseconds + 999) / 1000 }
        try StoredSocketState.setDeferredAccept(seconds ?? 0, of: descriptor)
    }
}
