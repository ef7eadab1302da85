extension Configuration {
    /// The limits of the whole daemon.
    package struct Limits: Equatable, Sendable {
        /// The most sessions that live at a time.
        package var maxSessions: Int
    }
}

extension Configuration.Limits {
    /// The most sessions of any listener, and of the daemon where the file sets no limit.
    static let largest = 10_000_000

    /// The most sessions of the daemon where the file sets no limit.
    static let defaultLimit = 100_000

    static let keys = KeyTable([
        Key("maxSessions", .integer(1...largest))
    ])

    /// Reads the limits; `budget` is how many sessions there are descriptors for.
    init(_ object: ObjectReader, budget: Int) {
        maxSessions =
            object.optionalInteger("maxSessions") ?? max(1, min(budget, Self.defaultLimit))
    }

    /// How many sessions the limit of file descriptors can carry; 0 or less if none.
    ///
    /// It is what the limit leaves, divided by what a session costs: 1 descriptor, or 2 if any
    /// listener is a proxy. From the limit are taken
    /// - 3 for the standard streams and 8 for the supervisor: its signals, timers, poll, control
    ///   socket, journal and notifications;
    /// - 2 for each worker, its poll and its waker;
    /// - 1 for each address that is listened on, or for each worker and address with `reusePort`;
    /// - a reserve for clients of the control socket and for logs, an eighth of the limit and at
    ///   most 64.
    package static func sessionBudget(
        descriptorLimit: Int,
        workers: Int,
        listeners: [ListenerConfiguration]
    ) -> Int {
        let sockets = listeners.reduce(0) { sum, listener in
            sum + listener.addresses.count * (listener.socket.reusePort ? workers : 1)
        }
        let reserve = min(64, descriptorLimit / 8)
        let descriptorsPerSession = listeners.contains(where: \.handler.isProxy) ? 2 : 1
        let left = descriptorLimit - 3 - 8 - 2 * workers - sockets - reserve
        return max(0, left) / descriptorsPerSession
    }
}
