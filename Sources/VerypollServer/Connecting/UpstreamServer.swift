package import Synchronization
internal import Verypoll
internal import VerypollConfiguration

/// A server of an upstream, as all threads share it: immutable but for atomics and the addresses.
package final class UpstreamServer: Sendable {
    /// Its address as the configuration has it.
    package let name: String
    /// Where it is reached, as configured.
    let target: UpstreamAddress
    /// Whether it gets sessions only while no other server is available.
    package let isBackup: Bool
    /// Its share of the sessions, compared with the weights of the others.
    package let weight: Atomic<Int>
    private let configuredWeight: Atomic<Int>
    private let passiveCheck: UpstreamConfiguration.PassiveCheck
    private let order = Atomic<UInt8>(ServerOrder.up.rawValue)
    /// The sessions on it, those that are still connecting included; ``Upstream/pick`` counts them
    /// in, and ``leave()`` out.
    package let active = Atomic(0)
    /// What sessions have done with it since the start.
    package let counters = ServerCounters()
    /// The bytes that each worker has moved to and from it.
    let traffic: [ServerTraffic]

    private let passive: PassiveHealth
    private let isProvenNow = Atomic(false)
    /// Whether the checks say that it is down.
    private let isHeldDown = Atomic(false)
    private let isGone = Atomic(false)
    /// The address of a server that needs no name service.
    private let literal: [ServerAddress]?
    /// Its TCP port, if it has one.
    package let port: UInt16?
    /// Whether the kernel may give the server's own port to a connection to it, which would then
    /// connect to itself if the server is down.
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

    /// Whether it can go on in a new form of its upstream, with its health and counts.
    func isSame(
        as configuration: UpstreamConfiguration.Server,
        passive: UpstreamConfiguration.PassiveCheck
    ) -> Bool {
        configuration.address == target && configuration.backup == isBackup
            && passive == passiveCheck
    }

    /// Takes on its weight, where that is not the configured one of before; else it keeps the one
    /// that it was given since.
    func apply(_ configuration: UpstreamConfiguration.Server) {
        let former = configuredWeight.exchange(configuration.weight, ordering: .relaxed)
        if former != configuration.weight {
            weight.store(configuration.weight, ordering: .relaxed)
        }
    }

    // MARK: Addresses

    /// Where it is reached now, the best first; empty while its name is not known.
    package var addresses: [ServerAddress] {
        literal ?? resolved.withLock { $0 }
    }

    /// Whether the first answer of the name service is still to come.
    var awaitsName: Bool { !isLookedUp.load(ordering: .relaxed) }

    /// Whether the name service knows no address, if it is needed at all.
    package var isUnresolved: Bool { !hasAddresses.load(ordering: .relaxed) }

    /// Takes the answer of the name service; an empty one leaves the addresses as they are.
    ///
    /// Connections that are open, or on their way, are not touched.
    func resolve(to addresses: [ServerAddress]) {
        precondition(literal == nil, "the server has no name")
        if !addresses.isEmpty {
            resolved.withLock { $0 = addresses }
            hasAddresses.store(true, ordering: .relaxed)
        }
        isLookedUp.store(true, ordering: .relaxed)
    }

    // MARK: Health

    /// What the operator has ordered.
    package var ordered: ServerOrder {
        get { ServerOrder(rawValue: order.load(ordering: .relaxed)) ?? .up }
        set { order.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// Whether the checks say that it is down; before the first of them it is taken to be up.
    package var isDown: Bool {
        get { isHeldDown.load(ordering: .relaxed) }
        set { isHeldDown.store(newValue, ordering: .relaxed) }
    }

    /// Whether a reload has removed it; sessions of earlier configurations may still know it.
    package var isRemoved: Bool {
        get { isGone.load(ordering: .relaxed) }
        set { isGone.store(newValue, ordering: .relaxed) }
    }

    /// Whether its sessions get what the upstream's `whenDown` says.
    package var isOutOfService: Bool { ordered == .down || isDown || isRemoved }

    /// Whether sessions may be sent to it, if only because no other server is available.
    var isChoosable: Bool { ordered == .up && !isDown && !isUnresolved && !isRemoved }

    /// Whether the failures of sessions have taken it out for now.
    package func isEjected(now: UInt64) -> Bool { passive.isEjected(now: now) }

    /// Whether a session may go there: it is ordered up, neither down nor ejected, and its address
    /// is known.
    ///
    /// - Parameter now: The millisecond of the monotonic clock.
    /// - Returns: `false` also for one that is used all the same if there is no other; see
    ///   ``Upstream/pick``.
    package func isAvailable(now: UInt64) -> Bool {
        isChoosable && !isEjected(now: now)
    }

    /// What keeps sessions away from the server besides an ejection, in words; `nil` if nothing
    /// does.
    package var obstacle: String? {
        switch ordered {
        case .drain: "it stays set to drain"
        case .down: "it stays set to down"
        case .up where isDown: "it stays down because its checks fail"
        case .up where isUnresolved: "its name still has no address"
        case .up: nil
        }
    }

    /// Whether the last session that tried has connected.
    var isProven: Bool { isProvenNow.load(ordering: .relaxed) }

    /// Notes that a session has connected.
    ///
    /// - Returns: What that changed, for the supervisor; mostly nothing.
    package func connected(now: UInt64) -> ServerChange? {
        counters.sessions.add(1, ordering: .relaxed)
        isProvenNow.store(true, ordering: .relaxed)
        return passive.succeed()
    }

    /// Notes that a session could not connect, to any of the addresses.
    ///
    /// - Returns: What that changed, for the supervisor; mostly nothing.
    package func failed(now: UInt64) -> ServerChange? {
        counters.failures.add(1, ordering: .relaxed)
        isProvenNow.store(false, ordering: .relaxed)
        return passive.fail(now: now)
    }

    /// Counts a session out that ``Upstream/pick`` has counted in.
    package func leave() {
        active.subtract(1, ordering: .relaxed)
    }

    /// The bytes of all sessions since the start, those of open sessions included.
    package var tally: ServerTally { traffic.map(\.tally).reduce(ServerTally(), +) }
}

/// What an operator can order a server to be.
package enum ServerOrder: UInt8, Sendable {
    /// Whatever its health allows.
    case up
    /// It gets no more sessions, and those that it has are drained.
    case drain
    /// It is to be taken for one that is down.
    case down
}

/// Monotone counters of a server, which several workers add to.
package struct ServerCounters: ~Copyable, Sendable {
    /// The sessions that have connected.
    package let sessions = Atomic(0)
    /// The sessions that could not connect.
    package let failures = Atomic(0)
    /// How long the connects took that succeeded.
    package let connectTime = SharedHistogram<ConnectTime>()
}
