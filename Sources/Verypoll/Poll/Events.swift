/// The readiness events of one call to ``Poll/poll(_:timeout:interruptible:)``.
///
/// Make one and reuse it: its storage is allocated once, at 12 to 16 bytes an event.
public struct Events: RandomAccessCollection, Sendable {
    var ready: [SystemEvent] = []

    /// The most events that one poll puts here.
    public let capacity: Int

    /// Makes room for `capacity` events, the most that one poll will return.
    public init(capacity: Int) {
        precondition(capacity > 0, "no room for an event")
        self.capacity = capacity
        ready.reserveCapacity(capacity)
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { ready.count }
    public subscript(position: Int) -> Event { Event(raw: ready[position]) }

    /// Empties it and keeps its storage; a poll does so itself.
    public mutating func removeAll() {
        ready.removeAll(keepingCapacity: true)
    }
}
