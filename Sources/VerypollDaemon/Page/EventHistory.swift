internal import VerypollControl

/// The latest events for the status page.
///
/// Events that repeat are merged, so that a server or listener whose state changes all the time
/// does not displace the others.
struct EventHistory {
    /// The most events that are kept.
    static let limit = 100

    /// The time in microseconds within which like events are merged.
    static let mergeTime = 10_000_000

    /// The events, the latest first.
    private(set) var events: [StatusEvent] = []

    /// Adds an event, and drops the oldest one if there are too many.
    mutating func note(_ monitored: MonitorEvent) {
        guard var event = StatusEvent(monitored) else { return }
        let similar = events.firstIndex { known in
            known.isLike(event) && event.timestampUSec - known.timestampUSec < Self.mergeTime
        }
        if let similar {
            event.count = (events[similar].count ?? 1) + 1
            if let former = events[similar].sessions {
                event.sessions = former + (event.sessions ?? 0)
            }
            events.remove(at: similar)
        }
        events.insert(event, at: 0)
        if events.count > Self.limit { events.removeLast() }
    }
}
