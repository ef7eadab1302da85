internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

extension ListenerConfiguration {
    /// Whether a socket of the process before can be the one at an address.
    func accepts(_ socket: InheritedSocket, at address: ListenAddress) -> Bool {
        switch (socket.place, address) {
        case (.ip(let present, let bound), .ip(let wanted)):
            let isOnlyV6 = self.socket.isOnlyV6(at: wanted.ip)
            return present.ip == wanted.ip
                && (wanted.port == 0 || present.port == wanted.port)
                && bound == BoundAddress(present, isOnlyV6: isOnlyV6)
        case (.unix(let present), .unix(let wanted)): return present == wanted
        default: return false
        }
    }

    /// Makes a socket of the process before one of this process.
    ///
    /// - Parameters:
    ///   - inherited: One that it accepts; see ``accepts(_:at:)``.
    ///   - address: The address as the configuration has it.
    ///   - worker: The one worker that accepts from it, or `nil` if all do.
    ///   - handoffStore: Where it stays stored.
    /// - Returns: `nil` if it cannot be used; then it is of no use to anybody.
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

    /// Adds its file to a socket that has one: without it nobody finds the socket.
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
        }
    }
}

extension ListeningSocket {
    /// Sets how long a connection without data stays out of the backlog, for a socket that was not
    /// bound by this process.
    fileprivate func setDeferral(_ time: Duration?) throws(Errno) {
        guard bound != nil else { return }
        let seconds = time.map { Int($0.milliseconds + 999) / 1000 }
        try StoredSocketState.setDeferredAccept(seconds ?? 0, of: descriptor)
    }
}
