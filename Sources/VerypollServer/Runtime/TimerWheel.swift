/// One timer for each slot of a slab, in a hierarchical timing wheel.
///
/// Starting, moving and stopping a timer take constant time and no allocation. Six levels of 64
/// buckets cover 2^36 milliseconds, about two years. When the time of a bucket begins, its timers
/// move down a level. A timer fires in its millisecond or later, never early. See Varghese and
/// Lauck, "Hashed and Hierarchical Timing Wheels", 1987.
@safe struct TimerWheel: ~Copyable {
    private struct Timer {
        var deadline: UInt64 = 0
        var next: UInt32 = .max
        var previous: UInt32 = .max
        var bucket: UInt16 = .max
    }

    private static let none = UInt32.max
    private static let levels = 6

    private var timers: UnsafeMutablePointer<Timer>
    private let capacity: Int
    private var touched = 0
    private var heads = [UInt32](repeating: Self.none, count: 64 * Self.levels)
    private var occupied = [UInt64](repeating: 0, count: Self.levels)
    private var now: UInt64

    /// Reserves the memory for timers 0 to `capacity` - 1; `now` is the current millisecond.
    init(capacity: Int, now: UInt64) {
        self.capacity = capacity
        self.now = now
        unsafe timers = .allocate(capacity: capacity)
    }

    deinit {
        unsafe timers.deallocate()
    }

    /// Starts a timer, or moves it if it runs.
    mutating func schedule(_ index: UInt32, at deadline: UInt64) {
        precondition(index < capacity, "timer index out of range")
        while touched <= Int(index) {
            unsafe (timers + touched).initialize(to: Timer())
            touched += 1
        }
        unlink(index)
        link(index, deadline: deadline)
    }

    /// Stops a timer; does nothing if it does not run.
    mutating func cancel(_ index: UInt32) {
        guard Int(index) < touched else { return }
        unlink(index)
    }

    /// The moment until which no timer fires and after which one may fire soon; `nil` if no timer
    /// runs.
    var nextDeadline: UInt64? {
        for level in 0..<Self.levels where occupied[level] != 0 {
            let shift = UInt64(6 * level)
            let position = (now >> shift) & 63
            let ahead = UInt64(occupied[level].rotatedRight(by: position).trailingZeroBitCount)
            return level == 0 ? now + ahead : ((now >> shift) + ahead) << shift
        }
        return nil
    }

    /// Advances the wheel to the present and returns the next expired timer, or `nil` if there is
    /// none.
    mutating func popExpired(now present: UInt64) -> UInt32? {
        while let due = nextDeadline, due <= present {
            now = max(now, due)
            for level in (1..<Self.levels).reversed() { cascade(level) }
            let bucket = Int(now & 63)
            let head = heads[bucket]
            guard head != Self.none else { continue }
            unlink(head)
            return head
        }
        now = max(now, present)
        return nil
    }

    /// Moves the timers of the bucket that the present has reached down to lower levels.
    private mutating func cascade(_ level: Int) {
        let bucket = 64 * level + Int((now >> UInt64(6 * level)) & 63)
        var index = heads[bucket]
        guard index != Self.none else { return }
        heads[bucket] = Self.none
        occupied[level] &= ~(1 << UInt64(bucket & 63))
        while index != Self.none {
            let timer = unsafe timers[Int(index)]
            link(index, deadline: timer.deadline)
            index = timer.next
        }
    }

    private mutating func link(_ index: UInt32, deadline: UInt64) {
        // The wheel holds less than one full turn; a later timer waits in the last bucket and is
        // placed again when that bucket's time begins.
        let horizon = UInt64(1) << UInt64(6 * Self.levels)
        let due = min(max(deadline, now), now + horizon - (horizon >> 6) - 1)
        let distance = due ^ now
        let level = distance == 0 ? 0 : (63 - distance.leadingZeroBitCount) / 6
        let top = min(level, Self.levels - 1)
        let bucket = 64 * top + Int((due >> UInt64(6 * top)) & 63)
        let head = heads[bucket]
        unsafe timers[Int(index)] = Timer(
            deadline: deadline,
            next: head,
            previous: Self.none,
            bucket: UInt16(bucket)
        )
        if head != Self.none { unsafe timers[Int(head)].previous = index }
        heads[bucket] = index
        occupied[top] |= 1 << UInt64(bucket & 63)
    }

    private mutating func unlink(_ index: UInt32) {
        let timer = unsafe timers[Int(index)]
        guard timer.bucket != .max else { return }
        if timer.previous == Self.none {
            heads[Int(timer.bucket)] = timer.next
        } else {
            unsafe timers[Int(timer.previous)].next = timer.next
        }
        if timer.next != Self.none { unsafe timers[Int(timer.next)].previous = timer.previous }
        if heads[Int(timer.bucket)] == Self.none {
            occupied[Int(timer.bucket) / 64] &= ~(1 << UInt64(timer.bucket % 64))
        }
        unsafe timers[Int(index)].bucket = .max
    }
}

extension UInt64 {
    fileprivate func rotatedRight(by count: UInt64) -> UInt64 {
        self >> (count & 63) | self << ((64 - count) & 63)
    }
}
