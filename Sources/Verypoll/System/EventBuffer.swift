internal import CVerypoll
internal import SystemPackage

/// Room for the events of one wait; only the first `count` of them mean something.
///
/// An array that is always full, because emptying and filling one anew takes as long as a short
/// system call.
@usableFromInline
struct EventBuffer: Sendable {
    private var room: [SystemEvent]

    @usableFromInline private(set) var count = 0

    var capacity: Int { room.count }
    var isEmpty: Bool { count == 0 }

    init(capacity: Int) {
        precondition(capacity > 0, "no room for an event")
        room = Array(repeating: SystemEvent(), count: capacity)
    }

    subscript(position: Int) -> SystemEvent {
        precondition(position < count, "no such event")
        return room[position]
    }

    mutating func removeAll() {
        count = 0
    }

    mutating func append(_ event: SystemEvent) {
        room[count] = event
        count += 1
    }

    /// Replaces the events by those that `body` stores, and returns the number of.
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
