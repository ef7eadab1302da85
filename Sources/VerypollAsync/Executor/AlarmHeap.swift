/// The times at which waits end, the earliest first.
///
/// Each waiter has at most one alarm and knows its place here, so the heap is never larger than
/// the number of waiters. An alarm may be earlier than the waiter's deadline: when a connection
/// waits again and again, each time with a later deadline, its alarm stays where it is, and is set
/// forward once it rings.
struct AlarmHeap: ~Copyable {
    private struct Alarm {
        let time: Deadline
        let waiter: ThreadReference<Waiter>
    }

    private var alarms: [Alarm] = []

    var isEmpty: Bool { alarms.isEmpty }

    /// The time of the earliest alarm; never if there is none.
    var first: Deadline { alarms.first?.time ?? .never }

    /// Ensures that an alarm rings for `waiter` at `time` or earlier.
    @inline(__always)
    mutating func set(
        _ waiter: ThreadReference<Waiter>,
        noLaterThan time: Deadline
    ) {
        let index = waiter.value.alarmIndex
        if index >= 0, alarms[index].time <= time { return }
        insert(waiter, at: time)
    }

    @inline(never)
    private mutating func insert(
        _ waiter: ThreadReference<Waiter>,
        at time: Deadline
    ) {
        var index = waiter.value.alarmIndex
        let alarm = Alarm(time: time, waiter: waiter)
        if index < 0 {
            index = alarms.count
            alarms.append(alarm)
        }
        raise(alarm, from: index)
    }

    /// Removes and returns the waiter of the earliest alarm, if its time has come.
    mutating func popFirst(before now: Deadline) -> ThreadReference<Waiter>? {
        guard let first = alarms.first, first.time <= now else { return nil }
        remove(first.waiter)
        return first.waiter
    }

    /// Removes the alarm of a waiter, if it has one.
    mutating func remove(_ waiter: ThreadReference<Waiter>) {
        let index = waiter.value.alarmIndex
        guard index >= 0 else { return }
        waiter.value.alarmIndex = -1
        let last = alarms.removeLast()
        guard index < alarms.count else { return }
        // The last alarm fills the gap. It may be earlier than the gap's parent, which is not one
        // of its own ancestors, or later than the gap's children.
        let parent = (index - 1) / 2
        if index > 0, last.time < alarms[parent].time {
            raise(last, from: index)
        } else {
            lower(last, from: index)
        }
    }

    /// Removes all alarms.
    mutating func removeAll() {
        for alarm in alarms { alarm.waiter.value.alarmIndex = -1 }
        alarms.removeAll()
    }

    private mutating func raise(_ alarm: Alarm, from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard alarm.time < alarms[parent].time else { break }
            place(alarms[parent], at: index)
            index = parent
        }
        place(alarm, at: index)
    }

    private mutating func lower(_ alarm: Alarm, from start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < alarms.count else { break }
            if child + 1 < alarms.count, alarms[child + 1].time < alarms[child].time { child += 1 }
            guard alarms[child].time < alarm.time else { break }
            place(alarms[child], at: index)
            index = child
        }
        place(alarm, at: index)
    }

    private mutating func place(_ alarm: Alarm, at index: Int) {
        alarms[index] = alarm
        alarm.waiter.value.alarmIndex = index
    }
}
