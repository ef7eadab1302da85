package import SystemPackage
internal import Verypoll

extension Connector {
    /// The slot of the upstream; `nil` for a session that is not proxied.
    var upstream: Int? { upstreamSlot < 0 ? nil : Int(upstreamSlot) }

    /// The index of the chosen server; `nil` while none is chosen.
    var server: Int? { serverIndex < 0 ? nil : Int(serverIndex) }

    /// The index of the address to try after the current one.
    var addressIndex: Int { Int(nextAddress) }

    /// Whether the session waits for room, or for a server that can be reached.
    var isHeld: Bool { phase == .queued || phase == .pausing }

    /// Whether the session still looks for a server.
    var isSearching: Bool { isHeld || phase == .connecting }

    /// Whether there is another address or server to try.
    func hasAlternative(_ facts: Facts) -> Bool {
        addressIndex < facts.addressCount || facts.hasOtherServer
    }

    /// Returns the action that releases the next thing that an ended session holds.
    func returnNext() -> Action {
        if let server { return .leaveServer(server) }
        if isQueued { return .leaveQueue }
        return holdsPlace ? .releasePlace : .nothing
    }

    /// The current state of the search.
    enum Phase: UInt8, Sendable {
        /// The search has not begun; a session that is not proxied stays in this phase.
        case idle
        /// The worker is reserving a place in the upstream.
        case entering
        /// The session waits in the upstream's queue until the upstream, or a server, has room.
        case queued
        /// The worker is choosing the next server or address.
        case choosing
        /// The session waits before it looks for a server again.
        case pausing
        /// A connection is being made.
        case connecting
        /// The server has been reached.
        case connected
        /// One of the session's connections is broken, and the last bytes for the other are being
        /// sent.
        case breaking
        /// The search has failed, or the session has ended.
        case over
    }

    /// The result of an action, or something that happened while the session waited.
    ///
    /// Events that need no facts about the upstream have their own methods: ``succeed()``,
    /// ``serverWentDown(deadline:)``, ``serverCameUp()`` and ``linger(now:)``.
    enum Event: Equatable {
        /// The search may begin.
        case started
        /// The upstream has reserved a place for the session.
        case placeReserved
        /// The upstream has no room for another session now.
        case upstreamFull
        /// All servers that could be chosen are full.
        case serversFull
        /// The session is in the queue.
        case queueEntered
        /// The upstream's queue is full.
        case queueFull
        case queueLeft
        /// This server was chosen, and counts the session.
        case serverChosen(Int)
        /// No server can be chosen; if names are still being looked up, there may be one soon.
        case noServer(awaitsNames: Bool)
        /// The connection was begun, at this nanosecond.
        case attemptBegan(nanosecond: UInt64)
        /// The connection could not be begun, or was refused.
        case attemptFailed(Errno)
        /// The socket of the failed or abandoned attempt is closed.
        case attemptClosed
        /// The server no longer counts the session.
        case serverLeft
        /// The chosen server went down while the session had no connection to it.
        case serverDown
        /// There may be room in the upstream, or a server that can be reached.
        case retry
        /// The moment ``nextAt`` has passed.
        case timerFired
        /// The session has ended; everything that it holds must be returned.
        case ended
        case placeReleased
    }

    /// A task for the worker; most tasks have a result, which is the next event.
    enum Action: Equatable {
        /// Ask for room: ``Event/placeReserved`` or ``Event/upstreamFull``.
        case reservePlace
        /// Enter the upstream's queue: ``Event/queueEntered`` or ``Event/queueFull``.
        case enterQueue
        /// Leave the queue: ``Event/queueLeft``.
        case leaveQueue
        /// Choose a server that is not among ``tried``: ``Event/serverChosen(_:)``,
        /// ``Event/serversFull`` or ``Event/noServer(awaitsNames:)``.
        case chooseServer
        /// Connect: ``Event/attemptBegan(nanosecond:)`` or ``Event/attemptFailed(_:)``.
        case connect(server: Int, address: Int)
        /// Close the socket of the attempt: ``Event/attemptClosed``.
        case closeAttempt
        /// Report that no address of the server could be reached, and leave it:
        /// ``Event/serverLeft``.
        case giveUpServer(Int)
        /// Leave the server: ``Event/serverLeft``.
        case leaveServer(Int)
        /// Release the place in the upstream: ``Event/placeReleased``.
        case releasePlace
        /// Set the timer to this millisecond; report ``Event/retry`` if room or a server appears.
        case hold(until: UInt64)
        /// Set the timer to this millisecond.
        case wait(until: UInt64)
        /// End the session: it gets no server.
        case giveUp(NoServer)
        /// End the session: its server is down.
        case endForServer
        /// There is nothing to do.
        case nothing
    }

    /// The facts about the upstream that the decisions depend on, at one moment.
    struct Facts {
        /// The current millisecond.
        var now: UInt64
        /// In milliseconds.
        var connectTimeout: UInt64
        /// How long a session is held while no server can be reached, in milliseconds.
        var retryFor: UInt64
        /// The number of addresses of the chosen server, 0 while none is chosen.
        var addressCount = 0
        /// Whether sessions may still be sent to the chosen server.
        var isServerChoosable = true
        /// Whether a server with room can be chosen that is neither the chosen one nor among
        /// ``tried``.
        var hasOtherServer = false
    }

    /// The reason that a session got no server.
    package enum NoServer: Equatable {
        /// No server could be chosen: all servers are down, set down by an operator, or have no
        /// address.
        case down
        /// The servers that were tried could not be reached; the error is that of the last one.
        case unreachable(Errno)
        /// The upstream's queue is full.
        case queueFull
        /// The session waited in the upstream's queue for too long.
        case queueTimeout
    }

    /// The state of a session of the previous process.
    struct Restored {
        /// The index of its server; `nil` if it has none.
        var server: Int?
        /// Whether the connection is still being made.
        var isConnecting: Bool
        var isBreaking: Bool
        /// The index of the address to try after the current one.
        var address: Int
        /// The millisecond in which the attempt is over, or unsent bytes are checked again.
        var nextAt: UInt64
        /// The millisecond in which the search is over.
        var endsAt: UInt64
        /// The current nanosecond.
        var nanosecond: UInt64
    }
}

extension Connector {
    /// Chooses the upstream of a session that began without one; before the event `started`.
    mutating func route(to upstream: Int) { upstreamSlot = Int32(upstream) }
}

extension Connector.Facts {
    /// The facts about an upstream while no server is chosen.
    init(_ upstream: Upstream, now: UInt64) {
        self.init(
            now: now,
            connectTimeout: upstream.connectTimeout,
            retryFor: upstream.retryFor
        )
    }

    /// Adds the facts about the chosen server.
    ///
    /// - Parameters:
    ///   - server: The index of the chosen server.
    ///   - upstream: The upstream of the server.
    ///   - addressCount: The number of its addresses.
    ///   - tried: The servers that could not be reached.
    mutating func add(_ server: Int, of upstream: Upstream, addressCount: Int, tried: [Int]) {
        self.addressCount = addressCount
        isServerChoosable = upstream.servers[server].isChoosable
        hasOtherServer = upstream.hasServer(besides: server, excluding: tried)
    }
}

extension Errno {
    /// Whether an attempt failed because of a shortage that says nothing about the server.
    ///
    /// This machine lacks descriptors, memory or ports, or the backlog of a Unix-domain socket is
    /// full. No event announces room in that backlog. See connect(2) and unix(7).
    var isShortage: Bool {
        switch self {
        case .resourceTemporarilyUnavailable, .addressNotAvailable: true
        default: AcceptFailure(self) == .resources
        }
    }
}

extension UInt64 {
    func clamped(to range: ClosedRange<UInt64>) -> UInt64 {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}

extension Connector {
    /// The shortest and the longest pause of the search, in milliseconds.
    static let pauses: ClosedRange<UInt64> = 50...1_000
    /// The shortest and the longest time between two checks of a broken session's unsent bytes, in
    /// milliseconds.
    static let lingers: ClosedRange<UInt64> = 10...1_000

    /// Returns the length of a pause: the longer the search has lasted, the longer the pauses.
    func pauseLength(_ facts: Facts) -> UInt64 {
        ((facts.now - beganAt) / 4).clamped(to: Self.pauses)
    }
}
