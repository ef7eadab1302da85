internal import Systemd
internal import VerypollConfiguration
internal import VerypollServer

extension LiveConfiguration {
    /// A listener of a new configuration whose missing sockets are not opened yet.
    struct Draft {
        let configuration: ListenerConfiguration
        let former: LiveListener?
        /// The slots of its upstreams, in the order of `Routing.upstreams`.
        let upstreams: [Int]
        /// The sockets that the listener already has.
        let kept: [ListeningSocket]
        /// Whether the listener stays unchanged.
        let isUnchanged: Bool
    }

    /// Determines which existing sockets a listener keeps or takes over.
    func draft(
        _ former: LiveListener?,
        as configuration: ListenerConfiguration,
        upstreams: [Int],
        _ free: inout FreeSockets,
        _ exchange: SocketExchange
    ) throws(ListenerError) -> Draft {
        let isUnchanged =
            former.map {
                $0.configuration == configuration && listener(of: $0).upstreams == upstreams
            } ?? false
        var kept: [ListeningSocket] = []
        if isUnchanged || former?.drain != nil {
            kept = former?.sockets ?? []
            free.remove(kept)
        } else {
            let limit = configuration.socketCount(workers: workers)
            for address in configuration.addresses {
                if let sockets = try free.take(address, for: configuration) {
                    kept += sockets
                } else {
                    kept += exchange.claim(address, for: configuration, limit: limit)
                }
            }
        }
        return Draft(
            configuration: configuration,
            former: former,
            upstreams: upstreams,
            kept: kept,
            isUnchanged: isUnchanged
        )
    }

    /// Opens the sockets that a listener lacks, and returns the listener.
    mutating func finish(
        _ draft: Draft,
        _ exchange: SocketExchange,
        _ activated: inout ActivatedSockets
    ) throws(ListenerError) -> LiveListener {
        if draft.isUnchanged, let former = draft.former { return former }
        let former = draft.former
        var sockets = draft.kept
        if former?.drain == nil {
            sockets = try open(draft.configuration, besides: draft.kept, exchange, &activated)
        }
        let listener = Listener(
            draft.configuration,
            upstreams: draft.upstreams,
            capacity: capacity,
            workers: workers,
            former: former.map(self.listener(of:))
        )
        var entry = LiveListener(
            configuration: draft.configuration,
            slot: add(listener),
            sockets: sockets,
            addresses: sockets.addresses
        )
        if let former {
            if former.drain != nil { entry.addresses = former.addresses }
            entry.formerSlots = [former.slot] + former.formerSlots
            entry.past = former.past
            entry.drain = former.drain
        }
        return entry
    }

    /// Opens the sockets that a listener does not have yet.
    func open(
        _ configuration: ListenerConfiguration,
        besides kept: [ListeningSocket],
        _ exchange: SocketExchange,
        _ activated: inout ActivatedSockets
    ) throws(ListenerError) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        let kept = Dictionary(grouping: kept, by: \.place)
        for address in configuration.addresses {
            sockets += try configuration.open(
                address,
                besides: kept[address] ?? [],
                activated: &activated,
                workers: workers,
                exchange: exchange,
                handoffStore: handoffStore
            )
        }
        return sockets
    }

    /// Starts the retirement of the sockets that new ones replace.
    mutating func retire(_ exchange: SocketExchange) {
        let present = listeners.flatMap { entry in
            entry.sockets.map { (listener: entry.name, socket: $0) }
        }
        let now = ContinuousClock.now
        let ends = Dictionary(
            retiringSockets.map { (ObjectIdentifier($0.socket), $0.endsAt) },
            uniquingKeysWith: { first, _ in first }
        )
        retiringSockets = exchange.retire(besides: present).map { listener, socket in
            RetiringSocket(
                socket: socket,
                listener: listener,
                endsAt: ends[ObjectIdentifier(socket)] ?? now + SocketExchange.retirement
            )
        }
    }

    /// The time at which the next socket's retirement ends; `nil` if no socket is retiring.
    var retirementEndsAt: ContinuousClock.Instant? { retiringSockets.map(\.endsAt).min() }

    /// Releases the sockets whose retirement has ended, so that the workers close them.
    mutating func endRetirement(now: ContinuousClock.Instant) {
        leavingSockets += retiringSockets.filter { $0.endsAt <= now }.map(\.socket)
        retiringSockets.removeAll { $0.endsAt <= now }
        renewSnapshot()
    }

    /// The retiring sockets, with the slots of the listeners that serve their backlogs.
    var retiringAcceptors: [WorkerSnapshot.Acceptor] {
        guard !retiringSockets.isEmpty else { return [] }
        let heirs = Dictionary(named: listeners, by: \.name)
        return retiringSockets.compactMap { entry in
            guard let heir = heirs[entry.listener], heir.drain == nil else { return nil }
            return WorkerSnapshot.Acceptor(listener: heir.slot, socket: entry.socket)
        }
    }
}
