internal import Verypoll

/// When the sessions of a worker have their turn: their timers, and the queues in which they wait.
struct SessionSchedule: ~Copyable {
    /// A timer for each session.
    var timers: TimerWheel
    /// Sessions with work left.
    var ready: ReadyQueue
    /// Sessions that wait for a buffer.
    var starved: ReadyQueue
    /// Sessions that wait for a server, or for room in an upstream.
    var held: ReadyQueue

    /// Reserves the memory for the sessions of a slab of the same capacity.
    init(capacity: Int, now: UInt64) {
        timers = TimerWheel(capacity: capacity, now: now)
        ready = ReadyQueue(capacity: capacity)
        starved = ReadyQueue(capacity: capacity)
        held = ReadyQueue(capacity: capacity)
    }

    /// Lets the sessions that wait for a buffer try again.
    mutating func feedStarved(of sessions: borrowing Slab<Session>) {
        while let key = starved.popFirst() {
            if sessions.contains(key) { ready.append(key) }
        }
    }
}
