internal import Verypoll

/// A worker's timers, and the queues of its sessions that wait for a turn.
struct SessionSchedule: ~Copyable {
    /// A timer for each session.
    var timers: TimerWheel
    /// Sessions that have more to do.
    var ready: ReadyQueue
    /// Sessions that wait for a buffer.
    var starved: ReadyQueue
    /// Sessions that wait for a server, or for a place in an upstream.
    var held: ReadyQueue

    /// Reserves the memory for as many sessions as the slab has slots.
    init(capacity: Int, now: UInt64) {
        timers = TimerWheel(capacity: capacity, now: now)
        ready = ReadyQueue(capacity: capacity)
        starved = ReadyQueue(capacity: capacity)
        held = ReadyQueue(capacity: capacity)
    }

    /// Moves the sessions that wait for a buffer to the ready queue.
    mutating func feedStarved(of sessions: borrowing Slab<Session>) {
        while let key = starved.popFirst() {
            if sessions.contains(key) { ready.append(key) }
        }
    }
}
