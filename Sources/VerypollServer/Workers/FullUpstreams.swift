/// The upstreams without room for the sessions of their queues, while these are retried in order.
struct FullUpstreams {
    /// The upstream of the last session that got no place.
    private var withoutPlace: Int?
    /// The upstream of the last session that has a place and found all servers full.
    private var withoutServer: Int?

    /// Returns whether a session of a queue would find no room.
    func includes(_ connector: borrowing Connector) -> Bool {
        guard connector.isQueued else { return false }
        guard connector.holdsPlace else { return connector.upstream == withoutPlace }
        // Other servers than those that a session has tried may decide about the next session.
        return connector.tried.isEmpty && connector.upstream == withoutServer
    }

    /// Notes the upstream of a session that still waits.
    mutating func note(_ connector: borrowing Connector) {
        guard connector.isQueued else { return }
        if !connector.holdsPlace {
            withoutPlace = connector.upstream
        } else if connector.tried.isEmpty {
            // A session that has tried some servers says nothing about these.
            withoutServer = connector.upstream
        }
    }
}
