import DaemonTestSupport
import Systemd
import VerypollConfiguration

@testable import VerypollDaemon
@testable import VerypollServer

/// A configuration in effect, without workers: the test counts sessions in their place.
struct LiveConfigurationFixture: ~Copyable {
    private(set) var live: LiveConfiguration
    private let store: HandoffStore
    private let log = RecordingLog()

    /// Puts a configuration into effect.
    ///
    /// - Parameters:
    ///   - listeners: The members of `listeners`.
    ///   - upstreams: The members of `upstreams`.
    /// - Throws: Why it cannot be in effect.
    init(_ listeners: String..., upstreams: String = "") throws {
        store = HandoffStore(logger: log.logger)
        live = LiveConfiguration(workers: 1, capacity: 16, handoffStore: store)
        live = try changed(to: listeners, upstreams)
    }

    /// Puts another configuration into effect, or leaves all as it is and throws.
    mutating func change(to listeners: String..., upstreams: String = "") throws {
        live = try changed(to: listeners, upstreams)
    }

    private func changed(to listeners: [String], _ upstreams: String) throws -> LiveConfiguration {
        let configuration = try Configuration.test(
            listeners: listeners.joined(separator: ", "),
            upstreams: upstreams
        )
        var none = ActivatedSockets([])
        let exchange = SocketExchange(store, logger: log.logger)
        var candidate = live
        try candidate.change(to: configuration, exchange: exchange, activated: &none)
        try exchange.commit()
        candidate.applyLimits()
        return candidate
    }

    /// The listener of a name.
    func listener(_ name: String) throws -> LiveListener {
        guard let found = live.listeners.first(where: { $0.name == name }) else {
            throw NoListener(name: name)
        }
        return found
    }

    /// Counts what a worker would have counted in a listener's slot.
    func count(active: UInt64 = 0, accepted: UInt64, inSlot slot: Int) {
        let tally = ListenerTally(active: active, accepted: accepted)
        live.snapshot.listeners[slot].counters[0].publish(tally)
    }

    mutating func drain(_ name: String, _ window: DrainWindow) -> Bool {
        live.drain(listener: name, window)
    }

    /// Accepts again on a listener that was drained.
    mutating func resume(_ name: String) throws -> Bool {
        let exchange = SocketExchange(store, logger: log.logger)
        let isKnown = try live.resume(listener: name, exchange: exchange)
        try exchange.commit()
        return isKnown
    }

    mutating func setClosed(_ isClosed: Bool) { live.setClosed(isClosed) }

    /// The slots that connections are accepted for.
    var acceptingSlots: [Int] { live.snapshot.acceptors.map(\.listener) }

    private struct NoListener: Error {
        let name: String
    }
}
