package import Synchronization
internal import Verypoll
internal import VerypollConfiguration

/// A server of an upstream, shared by all threads; only its atomics and its addresses change.
package final class UpstreamServer: Sendable {
    /// The configured address as text.
    package let name: String
    /// The configured address.
    let target: UpstreamAddress
    /// Whether the server is a backup, used only while no other server is available.
    package let isBackup: Bool
    /// The server's share of the sessions in relation to the weights of the others.
    package let weight: Atomic<Int>
    private let configuredWeight: Atomic<Int>
    private let passiveCheck: UpstreamConfiguration.PassiveCheck
    private let order: Atomic<UInt8>
    private let configuredOrder: Atomic<UInt8>
    /// The number of the server's sessions, including those that are connecting; ``enter()`` adds
    /// to it and ``leave()`` subtracts.
    package let active = Atomic(0)
    private let most: Atomic<Int>
    /// Whether a session waits for room on the server.
    private let isAwaited = Atomic(false)
    /// The millisecond in which the server was last up again; 0 if it was never down.
    private let upAgainAt = Atomic<UInt64>(0)
    /// The counters of the server since the start.
    package let counters = ServerCounters()
    /// The bytes that each worker has moved to and from the server.
    let traffic: [ServerTraffic]

    private let passive: PassiveHealth
    private let isProvenNow = Atomic(false)
    /// Whether the checks have found the server to be down.
    private let isHeldDown = Atomic(false)
    /// Whether the server has a health check that has not had a result yet.
    private let isUnchecked = Atomic(false)
    private let isGone = Atomic(false)
    /// The address of a server that is configured by address and not by name.
    private let literal: [ServerAddress]?
    /// The TCP port, if there is one.
    package let port: UInt16?
    /// Whether the kernel may choose the server's port as the local port of a connection to the
    /// server; if that server is on this machine but down, the connection would reach itself.
    let mayMeetItself: Bool
    private let resolved = Mutex<[ServerAddress]>([])
    private let hasAddresses: Atomic<Bool>
    private let isLookedUp: Atomic<Bool>

    init(
        _ configuration: UpstreamConfiguration.Server,
        passive: UpstreamConfiguration.PassiveCheck,
        workers: Int = 1,
        former: UpstreamServer? = nil
    ) {
        let configured = ServerOrder(configuration.state)
        // An operator's order outlives other changes of the configuration.
        let known = former.flatMap { $0.configured == configured ? $0.ordered : nil }
        order = Atomic((known ?? configured).rawValue)
        configuredOrder = Atomic(configured.rawValue)
        most = Atomic(configuration.maxSessions ?? .max)
        traffic = (0..<workers).map { _ in ServerTraffic() }
        target = configuration.address
        name = configuration.address.description
        isBackup = configuration.backup
        weight = Atomic(configuration.weight)
        configuredWeight = Atomic(configuration.weight)
        passiveCheck = passive
        self.passive = PassiveHealth(passive)
        literal =
            switch configuration.address {
            case .ip(let address): [.tcp(address)]
            case .unix(let address): [.unix(address)]
            case .vsock(let address): [.vsock(address)]
            case .host: nil
            }
        port =
            switch configuration.address {
            case .ip(let address): address.port
            case .host(_, let port): port
            case .unix, .vsock: nil
            }
        mayMeetItself = port.map(EphemeralPorts.range().contains) ?? false
        hasAddresses = Atomic(literal != nil)
        isLookedUp = Atomic(literal != nil)
    }

    /// Returns whether the server can be kept in a reloaded upstream, with its health and counts.
    func isSame(
        as configuration: UpstreamConfiguration.Server,
        passive: UpstreamConfiguration.PassiveCheck
    ) -> Bool {
        configuration.address == target
            && (configuration.backup == isBackup || configuration.isDiscovered)
            && passive == passiveCheck
    }

    /// Applies the configured limit, and the configured weight if the configuration has changed it;
    /// otherwise keeps the weight that an operator may have set since.
    func apply(_ configuration: UpstreamConfiguration.Server) {
        most.store(configuration.maxSessions ?? .max, ordering: .sequentiallyConsistent)
        let former = configuredWeight.exchange(configuration.weight, ordering: .relaxed)
        if former != configuration.weight {
            weight.store(configuration.weight, ordering: .relaxed)
        }
    }

    /// Returns the configured order if the configuration has changed it and it is not in effect;
    /// `nil` to keep the order that an operator may have given since.
    func newOrder(_ configuration: UpstreamConfiguration.Server) -> ServerOrder? {
        let next = ServerOrder(configuration.state)
        let former = configuredOrder.exchange(next.rawValue, ordering: .relaxed)
        return former == next.rawValue || ordered == next ? nil : next
    }

    /// The order in the configuration.
    private var configured: ServerOrder? {
        ServerOrder(rawValue: configuredOrder.load(ordering: .relaxed))
    }

    // MARK: Addresses

    /// The current addresses, the best first; empty while the name is not resolved.
    package var addresses: [ServerAddress] {
        literal ?? resolved.withLock { $0 }
    }

    /// Whether the name service has not answered yet.
    var awaitsName: Bool { !isLookedUp.load(ordering: .relaxed) }

    /// Whether the server has a name for which the name service has never returned an address.
    package var isUnresolved: Bool { !hasAddresses.load(ordering: .relaxed) }

    /// Applies an answer of the name service; an empty one keeps the addresses.
    ///
    /// Existing connections and attempts are not affected.
    func resolve(to addresses: [ServerAddress]) {
        precondition(literal == nil, "the server has no name")
        if !addresses.isEmpty {
            resolved.withLock { $0 = addresses }
            hasAddresses.store(true, ordering: .relaxed)
        }
        isLookedUp.store(true, ordering: .relaxed)
    }

    // MARK: Health

    /// The operator's order for the server.
    package var ordered: ServerOrder {
        get { ServerOrder(rawValue: order.load(ordering: .relaxed)) ?? .up }
        set { order.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// The millisecond in which the server was last up again after it was down; 0 if it never was.
    var upAgainSince: UInt64 { upAgainAt.load(ordering: .relaxed) }

    /// Notes that the server is up again after it was down.
    package func cameUp(now: UInt64) {
        upAgainAt.store(now, ordering: .relaxed)
    }

    /// Whether the checks have found the server to be down; before the first check it counts as up.
    package var isDown: Bool {
        get { isHeldDown.load(ordering: .relaxed) }
        set { isHeldDown.store(newValue, ordering: .relaxed) }
    }

    /// Whether the server has a health check without a result so far; it gets sessions meanwhile.
    package var awaitsFirstCheck: Bool {
        get { isUnchecked.load(ordering: .relaxed) }
        set { isUnchecked.store(newValue, ordering: .relaxed) }
    }

    /// Whether a reload has removed it; sessions of earlier configurations may still know it.
    package var isRemoved: Bool {
        get { isGone.load(ordering: .relaxed) }
        set { isGone.store(newValue, ordering: .relaxed) }
    }

    /// Whether the upstream's `whenDown` applies to the server's sessions.
    package var isOutOfService: Bool { ordered == .down || isDown || isRemoved }

    /// Whether sessions may be sent to the server, at least if no other server is available.
    var isChoosable: Bool { ordered == .up && !isDown && !isUnresolved && !isRemoved }

    /// Returns whether the server is ejected because of the failures of sessions.
    package func isEjected(now: UInt64) -> Bool { passive.isEjected(now: now) }

    /// Returns whether the server may get sessions: it is ordered up, neither down nor ejected, and
    /// has an address.
    ///
    /// - Parameter now: The millisecond of the monotonic clock.
    /// - Returns: `false` for an ejected server, although sessions use it if there is no other; see
    ///   ``Upstream/pick``.
    package func isAvailable(now: UInt64) -> Bool {
        isChoosable && !isEjected(now: now)
    }

    /// The reason, other than an ejection, that the server gets no sessions, as text; `nil` if
    /// there is none.
    package var obstacle: String? {
        switch ordered {
        case .drain: "it stays set to drain"
        case .down: "it stays set to down"
        case .up where isDown: "it stays down because its checks fail"
        case .up where isUnresolved: "its name still has no address"
        case .up: nil
        }
    }

    /// Whether the last attempt to connect succeeded.
    var isProven: Bool { isProvenNow.load(ordering: .relaxed) }

    /// Notes that a session has connected.
    ///
    /// - Returns: The change to report to the supervisor, if there is one.
    package func connected(now: UInt64) -> ServerChange? {
        counters.sessions.add(1, ordering: .relaxed)
        isProvenNow.store(true, ordering: .relaxed)
        return passive.succeed()
    }

    /// Notes that a session could not connect to any of the addresses.
    ///
    /// - Returns: The change to report to the supervisor, if there is one.
    package func failed(now: UInt64) -> ServerChange? {
        counters.failures.add(1, ordering: .relaxed)
        isProvenNow.store(false, ordering: .relaxed)
        return passive.fail(now: now)
    }

    // MARK: Sessions

    /// The most sessions at a time; `nil` for no limit.
    ///
    /// Lowering the limit ends no session. After raising it, notify the workers.
    package var maxSessions: Int? {
        let most = most.load(ordering: .sequentiallyConsistent)
        return most == .max ? nil : most
    }

    /// Whether another session would be within the limit.
    var hasRoom: Bool {
        active.load(ordering: .sequentiallyConsistent)
            < most.load(ordering: .sequentiallyConsistent)
    }

    /// Adds a session to ``active`` unless the limit is reached.
    ///
    /// Upstreams of former configurations share the server, so their choices may be concurrent.
    func enter() -> Bool {
        let limit = most.load(ordering: .sequentiallyConsistent)
        var present = active.load(ordering: .sequentiallyConsistent)
        while present < limit {
            let (isDone, found) = active.weakCompareExchange(
                expected: present,
                desired: present + 1,
                ordering: .sequentiallyConsistent
            )
            if isDone { return true }
            present = found
        }
        return false
    }

    /// Makes the next ``leave()`` report that a session waits for room.
    ///
    /// - Returns: Whether the server has room after all.
    func awaitRoom() -> Bool {
        // A session that leaves before this store does not see the flag.
        isAwaited.store(true, ordering: .sequentiallyConsistent)
        return hasRoom
    }

    /// Subtracts from ``active`` a session that ``enter()`` has added.
    ///
    /// - Returns: Whether some worker waits for room and must be notified; only one caller gets
    ///   `true`.
    @discardableResult
    package func leave() -> Bool {
        active.subtract(1, ordering: .sequentiallyConsistent)
        guard isAwaited.load(ordering: .sequentiallyConsistent) else { return false }
        return isAwaited.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// The bytes of all sessions since the start, including open ones.
    package var tally: ServerTally { traffic.map(\.tally).reduce(ServerTally(), +) }
}
