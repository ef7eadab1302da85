import DaemonTestSupport
import Systemd
import VerypollConfiguration

@testable import VerypollDaemon
@testable import VerypollServer

/// A live configuration without workers; the test counts sessions instead.
struct LiveConfigurationFixture: ~Copyable {
    private(set) var live: LiveConfiguration
    private let store: HandoffStore
    private let log = RecordingLog()

    /// Applies a configuration.
    ///
    /// - Parameters:
    ///   - listeners: The members of `listeners`.
    ///   - upstreams: The members of `upstreams`.
    /// - Throws: The reason why it cannot be applied.
    init(_ listeners: String..., upstreams: String = "") throws {
        store = HandoffStore(logger: log.logger)
        live = LiveConfiguration(workers: 1, capacity: 16, handoffStore: store)
        live = try changed(to: listeners, upstreams)
    }

    /// Applies another configuration, or throws and changes nothing.
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

    /// Returns the listener with a name.
    func listener(_ name: String) throws -> LiveListener {
        guard let found = live.listeners.first(where: { $0.name == name }) else {
            throw NoListener(name: name)
        }
        return found
    }

    /// Sets the counters of a listener's slot, as a worker would.
    func count(active: UInt64 = 0, accepted: UInt64, inSlot slot: Int) {
        let tally = ListenerTally(active: active, accepted: accepted)
        live.snapshot.listeners[slot].counters[0].publish(tally)
    }

    mutating func drain(_ names: Set<String>, _ window: DrainWindow) {
        live.drain(listeners: names, window)
    }

    /// Resumes drained listeners.
    mutating func resume(_ names: Set<String>) throws {
        let exchange = SocketExchange(store, logger: log.logger)
        try live.resume(listeners: names, exchange: exchange)
        try exchange.commit()
    }

    /// Returns the addresses of the sockets that are to close, each once.
    mutating func takeLeavingAddresses() -> [String] {
        live.takeLeavingSockets().map(\.address)
    }

    mutating func setClosed(_ isClosed: Bool) { live.setClosed(isClosed) }

    /// The slots of the listeners that accept connections.
    var acceptingSlots: [Int] { live.snapshot.acceptors.map(\.listener) }

    private struct NoListener: Error {
        let name: String
    }
}
