extension Configuration {
    /// The limits of the whole daemon.
    package struct Limits: Equatable, Sendable {
        /// The most sessions at the same time.
        package var maxSessions: Int

        /// The most pipes that a worker uses for splice(2).
        package var pipesPerWorker: Int

        /// The most sessions that a reload can allow; memory for them is reserved at the start.
        package var capacity: Int
    }
}

extension Configuration.Limits {
    /// The largest limit that the file can set for the sessions of a listener or of the daemon.
    static let largest = 10_000_000

    /// The most sessions of the daemon if the file sets no limit.
    static let defaultLimit = 100_000

    /// The capacity that is reserved if there are enough descriptors and the file asks for no more.
    private static let usualCapacity = 1 << 17

    package static let keys = KeyTable([
        Key("maxSessions", .integer(1...largest))
    ])

    /// Reads the limits; `budget` is the number of sessions that the descriptors allow.
    init(_ object: ObjectReader, budget: Int, pipesPerWorker: Int, descriptorLimit: Int) {
        self.pipesPerWorker = pipesPerWorker
        maxSessions =
            object.optionalInteger("maxSessions") ?? max(1, min(budget, Self.defaultLimit))
        capacity = max(maxSessions, min(descriptorLimit, Self.usualCapacity))
    }

    /// Returns the number of sessions that the limit of file descriptors allows; 0 if none.
    ///
    /// A session costs 1 descriptor, or 2 if any listener is a proxy. These descriptors are
    /// subtracted from the limit first:
    /// - 3 for the standard streams and 8 for the supervisor: its signals, timers, poll, control
    ///   socket, journal and notifications;
    /// - 2 for each worker: its poll and its waker;
    /// - 1 for each listening address, or for each worker and address with `reusePort`;
    /// - 2 for each pipe that a worker may have, see ``pipesPerWorker``;
    /// - 1 for each server that is checked, of which services may have any number, but at most 64,
    ///   because no more checks run at a time;
    /// - 8 for the resolution of host names, and 8 for services, if there are any;
    /// - a reserve for clients of the control socket and for logs, an eighth of the limit and at
    ///   most 64.
    package static func sessionBudget(
        descriptorLimit: Int,
        workers: Int,
        listeners: [ListenerConfiguration],
        upstreams: [UpstreamConfiguration]
    ) -> Int {
        let sockets = listeners.reduce(0) { sum, listener in
            sum + listener.addresses.count * (listener.socket.reusePort ? workers : 1)
        }
        let pipes = pipesPerWorker(
            descriptorLimit: descriptorLimit,
            workers: workers,
            listeners: listeners
        )
        let probes = min(64, upstreams.reduce(0) { $0 + ($1.check == nil ? 0 : $1.checkedCount) })
        let hasServices = !upstreams.allSatisfy(\.services.isEmpty)
        let lookups = (upstreams.contains(where: \.hasNames) ? 8 : 0) + (hasServices ? 8 : 0)
        let reserve = min(64, descriptorLimit / 8)
        let descriptorsPerSession = listeners.contains(where: \.handler.isProxy) ? 2 : 1
        let fixed = 3 + 8 + 2 * workers + sockets + 2 * pipes * workers + probes + lookups + reserve
        return max(0, descriptorLimit - fixed) / descriptorsPerSession
    }

    /// Returns the number of pipes that a worker may use for splice(2).
    ///
    /// The number is at most 64, and the pipes of all workers take at most an eighth of the limit
    /// of file descriptors. Without a proxy, it is 0.
    package static func pipesPerWorker(
        descriptorLimit: Int,
        workers: Int,
        listeners: [ListenerConfiguration]
    ) -> Int {
        guard listeners.contains(where: \.handler.isProxy) else { return 0 }
        return min(64, descriptorLimit / 8 / (2 * workers))
    }
}

extension UpstreamConfiguration {
    /// Whether any server has a host name.
    fileprivate var hasNames: Bool {
        servers.contains { server in
            if case .host = server.address { true } else { false }
        }
    }

    /// The most servers that are checked at the same time.
    fileprivate var checkedCount: Int { servers.count + (services.isEmpty ? 0 : 64) }
}
