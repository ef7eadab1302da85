internal import Logging
internal import Systemd
internal import Verypoll
internal import VerypollServer

extension SocketExchange {
    /// Takes out of the store what no listener has claimed, and says so.
    func releaseRest() {
        for name in useless { handoffStore.forget(name) }
        for socket in inherited {
            logger.notice(
                .storedSocketClosed,
                """
                closed the listening socket \(socket.address) of the previous process: no \
                listener of the configuration has this address any more
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
        // Only then does nobody listen there any more.
        handoffStore.settle()
        for path in paths { try? FileSocket.removeStale(path) }
    }
}
