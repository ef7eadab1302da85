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
    private let order = Atomic<UInt8>(ServerOrder.up.rawValue)
    /// The number of the server's sessions, including those that are connecting; ``Upstream/pick``
    /// adds to it and ``leave()`` subtracts.
    package let active = Atomic(0)
    /// The counters of the server since the start.
    package let counters = ServerCounters()
    /// The bytes that each worker has moved to and from the server.
    let traffic: [ServerTraffic]

    private let passive: PassiveHealth
    private let isProvenNow = Atomic(false)
    /// Whether the checks have found the server to be down.
    private let isHeldDown = Atomic(false)
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
        workers: Int = 1
    ) {
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
            case .host: nil
            }
        port =
            switch configuration.address {
            case .ip(let address): address.port
            case .host(_, let port): port
            case .unix: nil
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
        configuration.address == target && configuration.backup == isBackup
            && passive == passiveCheck
    }

    /// Applies the configured weight if the configuration has changed it; otherwise keeps the
    /// weight that an operator may have set since.
    func apply(_ configuration: UpstreamConfiguration.Server) {
        let former = configuredWeight.exchange(configuration.weight, ordering: .relaxed)
        if former != configuration.weight {
            weight.store(configuration.weight, ordering: .relaxed)
        }
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

    /// Whether the checks have found the server to be down; before the first check it counts as up.
    package var isDown: Bool {
        get { isHeldDown.load(ordering: .relaxed) }
        set { isHeldDown.store(newValue, ordering: .relaxed) }
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

    /// Subtracts from ``active`` a session that ``Upstream/pick`` has added.
    package func leave() {
        active.subtract(1, ordering: .relaxed)
    }

    /// The bytes of all sessions since the start, including open ones.
    package var tally: ServerTally { traffic.map(\.tally).reduce(ServerTally(), +) }
}

/// An operator's order for a server.
package enum ServerOrder: UInt8, Sendable {
    /// The server gets sessions if its health allows it.
    case up
    /// The server gets no new sessions, and its open sessions are drained.
    case drain
    /// The server is treated as if its checks had found it to be down.
    case down
}

/// Monotonic counters of a server, to which several workers add.
package struct ServerCounters: ~Copyable, Sendable {
    /// The sessions that have connected.
    package let sessions = Atomic(0)
    /// The sessions that could not connect.
    package let failures = Atomic(0)
    /// The times that successful connects took.
    package let connectTime = SharedHistogram<ConnectTime>()
    /// The failed attempts and the failed connections, by kind.
    package let errors = SharedKindCounts<ServerErrorKind>()
}
