internal import VerypollServer

/// Decides when refused clients are logged: the first of each cause and listener as soon as it is
/// noticed, and later ones together, at most once in ``interval``.
struct RefusalLog {
    /// The shortest time between two entries of a listener about the same cause.
    static let interval = Duration.seconds(10)

    /// Clients of a listener that were refused for the same cause, and are to be logged.
    struct Entry: Equatable {
        let listener: String
        let cause: RefusalCause
        /// The number of clients since the last entry.
        let count: UInt64
    }

    private struct Logged {
        var counts = KindCounts<RefusalCause>()
        var dueAt: [RefusalCause: ContinuousClock.Instant] = [:]
    }

    private var logged: [String: Logged] = [:]

    /// Returns the entries to log now.
    ///
    /// - Parameters:
    ///   - listeners: The numbers of refused clients of all listeners, by name.
    ///   - now: The current time.
    ///   - isLast: Whether the daemon stops, so that nothing may wait.
    /// - Returns: The entries, in the order of `listeners`.
    mutating func entries(
        for listeners: [(name: String, counts: KindCounts<RefusalCause>)],
        now: ContinuousClock.Instant,
        isLast: Bool = false
    ) -> [Entry] {
        var entries: [Entry] = []
        for (name, counts) in listeners where logged[name, default: Logged()].counts != counts {
            var former = logged[name, default: Logged()]
            for cause in RefusalCause.allCases {
                // The counts of a listener begin at zero if it was removed and added again.
                if counts[cause] < former.counts[cause] { former.counts[cause] = 0 }
                let count = counts[cause] - former.counts[cause]
                guard count > 0, isLast || former.dueAt[cause].map({ $0 <= now }) ?? true else {
                    continue
                }
                entries.append(Entry(listener: name, cause: cause, count: count))
                former.counts[cause] = counts[cause]
                former.dueAt[cause] = now + Self.interval
            }
            logged[name] = former
        }
        if logged.count > listeners.count {
            let names = Set(listeners.map(\.name))
            logged = logged.filter { names.contains($0.key) }
        }
        return entries
    }
}

extension RefusalLog.Entry {
    /// Returns the message of the log entry.
    func message(lastPeer: String?) -> String {
        let clients = count == 1 ? "1 client" : "\(count) clients"
        let example = lastPeer.map { count == 1 ? ", \($0)" : ", the last at \($0)" } ?? ""
        return "listener \(listener) refused \(clients)\(example): \(cause.explanation)"
    }
}

extension RefusalCause {
    fileprivate var explanation: String {
        switch self {
        case .accessRules: "allow or deny excludes the address"
        case .sourceLimit: "the source has as many sessions as maxSessionsPerSource allows"
        case .proxyHeader: "the PROXY header is malformed"
        case .proxyHeaderTimeout: "the PROXY header was not complete in time"
        case .cycle:
            "a connection that passes several listeners of this daemon in a row was refused as a"
                + " circle; remove the servers that lead back to the listener from the upstream"
        case .listenerLimit: "maxSessions of the listener is reached"
        case .totalLimit: "limits.maxSessions is reached"
        case .acceptFailed: "the connection failed before it was accepted"
        }
    }
}
