internal import CVerypoll
internal import SystemPackage

/// Storage for the events of one wait, of which only the first `count` are valid.
///
/// The array always has its full length, because emptying and refilling it takes as long as a short
/// system call.
@usableFromInline
struct EventBuffer: Sendable {
    private var room: [SystemEvent]

    @usableFromInline private(set) var count = 0

    /// The most events that one epoll_wait(2) can return.
    private static var limit: Int { Int(CInt.max) / MemoryLayout<SystemEvent>.size }

    var capacity: Int { room.count }
    var isEmpty: Bool { count == 0 }

    init(capacity: Int) {
        precondition(capacity > 0, "the capacity for events must be positive")
        precondition(capacity <= Self.limit, "the capacity for events exceeds \(Self.limit)")
        room = Array(repeating: SystemEvent(), count: capacity)
    }

    subscript(position: Int) -> SystemEvent {
        precondition(position < count, "event index out of range")
        return room[position]
    }

    mutating func removeAll() {
        count = 0
    }

    mutating func append(_ event: SystemEvent) {
        room[count] = event
        count += 1
    }

    /// Replaces the events with those that `body` stores; `body` returns their number.
    @inline(__always)
    mutating func fill(
        _ body: (UnsafeMutablePointer<SystemEvent>?, CInt) throws(Errno) -> CInt
    ) throws(Errno) {
        count = 0
        count = Int(
            try unsafe room.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                try unsafe body(buffer.baseAddress, CInt(clamping: buffer.count))
            }
        )
    }
}
