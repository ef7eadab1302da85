internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// The existing sockets that the listeners of a new configuration can take over.
struct FreeSockets {
    private struct Entry {
        /// The position among all sockets, which determines their order.
        let number: Int
        let socket: ListeningSocket
        /// The listener that had the socket; `nil` if none had it.
        let owner: ListenerConfiguration?
        /// Whether the socket stays with its owner.
        let isKept: Bool
    }

    private var entries: [ListenAddress: [Entry]] = [:]
    private var count = 0

    /// Collects the sockets.
    ///
    /// - Parameters:
    ///   - spare: The sockets that no listener had.
    ///   - former: The listeners of the previous configuration.
    ///   - listeners: The listeners of the new configuration.
    init(
        _ spare: [ListeningSocket],
        _ former: [LiveListener],
        keptBy listeners: [ListenerConfiguration]
    ) {
        for socket in spare { add(socket, owner: nil, isKept: false) }
        let next = Dictionary(named: listeners, by: \.name)
        for entry in former {
            let addresses = Set(next[entry.name]?.addresses ?? [])
            for socket in entry.sockets {
                let isKept = addresses.contains(socket.place)
                add(socket, owner: entry.configuration, isKept: isKept)
            }
        }
    }

    private mutating func add(
        _ socket: ListeningSocket,
        owner: ListenerConfiguration?,
        isKept: Bool
    ) {
        count += 1
        let entry = Entry(number: count, socket: socket, owner: owner, isKept: isKept)
        entries[socket.place, default: []].append(entry)
    }

    /// Removes sockets that stay with their listener.
    mutating func remove(_ sockets: [ListeningSocket]) {
        let identities = Set(sockets.map(ObjectIdentifier.init))
        for place in Set(sockets.map(\.place)) {
            entries[place]?.removeAll { identities.contains(ObjectIdentifier($0.socket)) }
        }
    }

    /// Takes the sockets of an address: the listener's own if it has any there, otherwise those of
    /// another listener.
    ///
    /// - Returns: `nil` if no socket at the address is free.
    /// - Throws: `ListenerError` if the sockets were bound with options other than the listener's.
    mutating func take(
        _ address: ListenAddress,
        for listener: ListenerConfiguration
    ) throws(ListenerError) -> [ListeningSocket]? {
        let there = entries[address] ?? []
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
                reason: "cannot change reusePort, freeBind, deferAccept and onlyV6 of a listening"
                    + " socket; restart the daemon, or use another address"
            )
        }
        remove(sockets)
        return sockets
    }

    /// Takes all remaining sockets: those passed by systemd, and the daemon's own.
    mutating func takeRest() -> (activated: [ListeningSocket], own: [ListeningSocket]) {
        defer { entries = [:] }
        let sockets = entries.values.joined().sorted { $0.number < $1.number }.map(\.socket)
        return (sockets.filter(\.isActivated), sockets.filter { !$0.isActivated })
    }
}

extension ListenAddress {
    /// Whether the kernel chooses the port.
    var isChosenByKernel: Bool {
        switch self {
        case .ip(let address): address.port == 0
        case .vsock(let address): address.port == VsockAddress.anyPort
        case .unix, .systemd: false
        }
    }
}

extension SocketOptions {
    /// Returns whether the options that are set before a socket is bound are equal.
    fileprivate func isBoundAlike(_ other: SocketOptions) -> Bool {
        (reusePort, freeBind, deferAccept, onlyV6)
            == (other.reusePort, other.freeBind, other.deferAccept, other.onlyV6)
    }
}
