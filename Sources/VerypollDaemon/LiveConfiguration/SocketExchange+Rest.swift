internal import Logging
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

extension SocketExchange {
    /// Binds a vsock socket.
    ///
    /// The kernel binds a port once, so a socket of the previous process that has the port with
    /// another CID closes first.
    func bind(
        _ address: VsockAddress,
        for listener: ListenerConfiguration
    ) throws(Errno) -> ListeningSocket {
        let socket: ListeningSocket
        do throws(Errno) {
            socket = try listener.bind(address)
        } catch .addressInUse {
            let obstacles = inherited.filter { $0.hasVsockPort(address.port) }
            guard !obstacles.isEmpty else { throw .addressInUse }
            inherited.removeAll { $0.hasVsockPort(address.port) }
            for obstacle in obstacles {
                handoffStore.forget(obstacle.name)
                obstacle.close()
            }
            handoffStore.settle()
            socket = try listener.bind(address)
        }
        note(socket, of: listener)
        return socket
    }

    /// Removes the sockets that no listener has claimed from the store, and logs their addresses.
    func releaseRest() {
        for name in useless { handoffStore.forget(name) }
        for socket in inherited {
            logger.notice(
                .storedSocketClosed,
                """
                closed the listening socket \(socket.address) of the previous process: no \
                listener uses this address
                """,
                metadata: ["address": "\(socket.address)"]
            )
            handoffStore.forget(socket.name)
        }
        let paths = inherited.compactMap { socket in
            if case .unix(.path(let path)) = socket.place { path } else { nil }
        }
        inherited = []
        // A remaining reference to this value must not keep sockets open.
        former = []
        opened = []
        claimed = []
        shared = []
        retiring = []
        guard !paths.isEmpty else { return }
        // The files are stale only after the manager has closed its duplicates.
        handoffStore.settle()
        for path in paths { try? FileSocket.removeStale(path) }
    }
}

extension InheritedSocket {
    fileprivate func hasVsockPort(_ port: UInt32) -> Bool {
        if case .vsock(let address) = place { address.port == port } else { false }
    }
}
