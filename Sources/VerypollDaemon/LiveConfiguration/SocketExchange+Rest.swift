internal import Logging
internal import Systemd
internal import Verypoll
internal import VerypollServer

extension SocketExchange {
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
