/// The readiness events of one call to ``Poll/poll(_:timeout:interruptible:)``.
///
/// Make one and reuse it: its storage is allocated once, at 12 to 16 bytes an event.
public struct Events: RandomAccessCollection, Sendable {
    @usableFromInline var buffer: EventBuffer

    /// The most events that one poll puts here.
    public var capacity: Int { buffer.capacity }

    /// Makes room for `capacity` events, the most that one poll will return.
    public init(capacity: Int) {
        buffer = EventBuffer(capacity: capacity)
    }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { buffer.count }
    public subscript(position: Int) -> Event { Event(raw: buffer[position]) }

    /// Empties it and keeps its storage; a poll does so itself.
    public mutating func removeAll() {
        buffer.removeAll()
    }
}

extension Events: CustomStringConvertible {
    /// The events, as in `[7: in|rdhup, 9: out]`.
    public var description: String {
        "[" + map(\.description).joined(separator: ", ") + "]"
    }
}
