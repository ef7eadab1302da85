#if Net && OSExt
internal import Verypoll

/// The sockets that there are when a configuration takes the place of another, for the listeners
/// that are to have them.
struct FreeSockets {
    private struct Entry {
        let socket: ListeningSocket
        /// The listener that had it.
        let owner: ListenerConfiguration?
        /// Whether it stays with its owner.
        let isKept: Bool
    }

    private var entries: [Entry]

    /// Collects the sockets.
    ///
    /// - Parameters:
    ///   - spare: Those that no listener had.
    ///   - former: The listeners before.
    ///   - listeners: Those that are to be.
    init(
        _ spare: [ListeningSocket],
        _ former: [Roster.Served],
        keptBy listeners: [ListenerConfiguration]
    ) {
        entries = spare.map { Entry(socket: $0, owner: nil, isKept: false) }
        for served in former {
            let next = listeners.first { $0.name == served.name }
            entries += served.sockets.map { socket in
                Entry(
                    socket: socket,
                    owner: served.configuration,
                    isKept: next?.addresses.contains(socket.place) ?? false
                )
            }
        }
    }

    /// Takes sockets out that stay where they are.
    mutating func remove(_ sockets: [ListeningSocket]) {
        entries.removeAll { entry in sockets.contains { $0 === entry.socket } }
    }

    /// Takes the sockets of an address, its owner's before others'.
    ///
    /// - Returns: `nil` if there are none.
    /// - Throws: If there are some that another configuration cannot go on with.
    mutating func take(
        _ address: ListenAddress,
        for listener: ListenerConfiguration
    ) throws(ListenerError) -> [ListeningSocket]? {
        let there = entries.filter { $0.socket.place == address }
        let own = there.filter { $0.owner?.name == listener.name }
        let others = address.isChosenByKernel ? [] : there.filter { !$0.isKept }
        let chosen = own.isEmpty ? others : own
        guard let first = chosen.first else { return nil }
        let sockets = chosen.filter { $0.owner?.name == first.owner?.name }.map(\.socket)
        if case .ip = address, let owner = first.owner,
            !owner.socket.isBoundAlike(listener.socket)
        {
            throw ListenerError(
                listener: listener.name,
                address: address,
                reason: "reusePort, freeBind, deferAccept and onlyV6 of a socket that listens"
                    + " cannot be changed; restart the daemon, or take another address"
            )
        }
        remove(sockets)
        return sockets
    }

    /// Takes the sockets that nobody has taken: those of systemd, and the others.
    mutating func takeRest() -> (passed: [ListeningSocket], own: [ListeningSocket]) {
        defer { entries = [] }
        let sockets = entries.map(\.socket)
        return (sockets.filter(\.isPassed), sockets.filter { !$0.isPassed })
    }
}

extension ListenAddress {
    /// Whether its port is a new one each time.
    fileprivate var isChosenByKernel: Bool {
        if case .ip(let address) = self { address.port == 0 } else { false }
    }
}

extension SocketOptions {
    /// Whether the options are the same that are set before a socket is bound.
    fileprivate func isBoundAlike(_ other: SocketOptions) -> Bool {
        (reusePort, freeBind, deferAccept, onlyV6)
            == (other.reusePort, other.freeBind, other.deferAccept, other.onlyV6)
    }
}
#endif
