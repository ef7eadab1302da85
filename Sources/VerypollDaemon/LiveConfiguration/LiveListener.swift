internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// A listener in effect.
struct LiveListener {
    var configuration: ListenerConfiguration
    var slot: Int
    /// None while it is drained, but for those of systemd.
    var sockets: [ListeningSocket]
    /// Where it accepts, or did before it was drained, for people.
    var addresses: [Status.Listener.Address]
    /// The slots of its earlier forms that sessions may still have.
    var formerSlots: [Int] = []
    /// What its earlier forms have counted that no session has any more.
    var past = ListenerTally()
    /// The time in which its sessions end, while it accepts nothing.
    var drain: DrainWindow?

    var name: String { configuration.name }
}

/// A socket that has given way to another one, whose backlog is still served.
struct RetiringSocket {
    let socket: ListeningSocket
    /// The name of the listener that serves it.
    let listener: String
    /// When it closes.
    let endsAt: ContinuousClock.Instant
}

/// An upstream in effect.
struct LiveUpstream {
    let configuration: UpstreamConfiguration
    let slot: Int
}

extension [ListeningSocket] {
    /// Where they are, each address once.
    var addresses: [Status.Listener.Address] {
        filter { ($0.worker ?? 0) == 0 }
            .map { .init(address: $0.address, origin: $0.isActivated ? .systemd : .bound) }
    }
}
