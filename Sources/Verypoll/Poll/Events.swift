/// The readiness events of one call to ``Poll/poll(_:timeout:interruptible:)``.
///
/// Create one and reuse it: its storage is allocated once, 12 to 16 bytes per event.
public struct Events: RandomAccessCollection, Sendable {
    @usableFromInline var buffer: EventBuffer

    /// The most events that one poll stores here.
    public var capacity: Int { buffer.capacity }

    /// Allocates storage for `capacity` events, the most that one poll returns.
    ///
    /// Traps unless `capacity` is positive and at most 134,217,727, or 178,956,970 on x86-64: the
    /// kernel returns no more at once.
    public init(capacity: Int) {
        buffer = EventBuffer(capacity: capacity)
    }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { buffer.count }
    public subscript(position: Int) -> Event { Event(raw: buffer[position]) }

    /// Removes all events and keeps the storage.
    ///
    /// Each poll does this first.
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
