internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// The sockets that there are when a configuration takes the place of another, for the listeners
/// that are to have them.
struct FreeSockets {
    private struct Entry {
        /// Its place among all, which tells the order.
        let number: Int
        let socket: ListeningSocket
        /// The listener that had it.
        let owner: ListenerConfiguration?
        /// Whether it stays with its owner.
        let isKept: Bool
    }

    private var entries: [ListenAddress: [Entry]] = [:]
    private var count = 0

    /// Collects the sockets.
    ///
    /// - Parameters:
    ///   - spare: Those that no listener had.
    ///   - former: The listeners before.
    ///   - listeners: Those that are to be.
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

    /// Takes sockets out that stay where they are.
    mutating func remove(_ sockets: [ListeningSocket]) {
        let identities = Set(sockets.map(ObjectIdentifier.init))
        for place in Set(sockets.map(\.place)) {
            entries[place]?.removeAll { identities.contains(ObjectIdentifier($0.socket)) }
        }
    }

    /// Takes the sockets of an address, its owner's before others'.
    ///
    /// - Returns: `nil` if there are none.
    /// - Throws: If there are some that another configuration cannot go on with.
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
                reason: "reusePort, freeBind, deferAccept and onlyV6 of a socket that listens"
                    + " cannot be changed; restart the daemon, or take another address"
            )
        }
        remove(sockets)
        return sockets
    }

    /// Takes the sockets that nobody has taken: those of systemd, and the others.
    mutating func takeRest() -> (activated: [ListeningSocket], own: [ListeningSocket]) {
        defer { entries = [:] }
        let sockets = entries.values.joined().sorted { $0.number < $1.number }.map(\.socket)
        return (sockets.filter(\.isActivated), sockets.filter { !$0.isActivated })
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
