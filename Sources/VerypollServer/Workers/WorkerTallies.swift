/// A worker's counts, which it publishes at the end of each turn.
struct WorkerTallies {
    /// The counts of listeners, by slot.
    var listeners: [ListenerTally] = []
    /// The slots of the listeners whose counts have changed in this turn.
    private var dirtyListeners: [Int] = []
    /// The bytes of each server.
    var servers = ServerTallies()
    var worker = WorkerTally()

    /// Changes the counts of a listener.
    mutating func note(_ listener: Int, _ change: (inout ListenerTally) -> Void) {
        if !dirtyListeners.contains(listener) { dirtyListeners.append(listener) }
        change(&listeners[listener])
    }

    /// Adopts the listeners of a new snapshot; the counts of a slot with a new listener begin at
    /// zero.
    mutating func adopt(_ listeners: [Listener], after former: [Listener]) {
        for slot in listeners.indices {
            if slot == self.listeners.count {
                self.listeners.append(ListenerTally())
            } else if listeners[slot] !== former[slot] {
                self.listeners[slot] = ListenerTally()
            }
        }
        dirtyListeners.reserveCapacity(listeners.count)
    }

    /// Publishes the counts for other threads.
    mutating func publish(to listenerCounters: [ListenerCounters], _ counters: WorkerCounters) {
        for listener in dirtyListeners {
            listenerCounters[listener].publish(listeners[listener])
        }
        dirtyListeners.removeAll(keepingCapacity: true)
        servers.publish()
        counters.publish(worker)
    }
}
