internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// A listener in effect.
struct LiveListener {
    var configuration: ListenerConfiguration
    var slot: Int
    /// The sockets; while the listener is drained, only those passed by systemd.
    var sockets: [ListeningSocket]
    /// The addresses on which the listener accepts or, if it is drained, accepted before.
    var addresses: [Status.Listener.Address]
    /// The slots of the listener's earlier configurations that may still have sessions.
    var formerSlots: [Int] = []
    /// The totals of the earlier configurations that have no sessions left.
    var past = ListenerTally()
    /// The window in which the sessions end while the listener is drained; `nil` if it is not.
    var drain: DrainWindow?

    var name: String { configuration.name }
}

/// A socket that another one has replaced and whose backlog is still served.
struct RetiringSocket {
    let socket: ListeningSocket
    /// The name of the listener that serves the backlog.
    let listener: String
    /// The time at which the socket closes.
    let endsAt: ContinuousClock.Instant
}

/// An upstream in effect.
struct LiveUpstream {
    /// The configuration, with the servers that services have named.
    let configuration: UpstreamConfiguration
    let slot: Int

    var hasServices: Bool { !configuration.services.isEmpty }
}

extension [ListeningSocket] {
    /// The addresses of the sockets, each address once.
    var addresses: [Status.Listener.Address] {
        filter { ($0.worker ?? 0) == 0 }
            .map { .init(address: $0.address, origin: $0.isActivated ? .systemd : .bound) }
    }
}
