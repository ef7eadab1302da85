/// What a worker has counted, in its own hands until it is published at the end of the turn.
struct WorkerTallies {
    /// By the slot of the listener.
    var listeners: [ListenerTally] = []
    /// The listeners whose tallies have changed in this turn.
    private var dirtyListeners: [Int] = []
    /// The bytes of servers.
    var servers = ServerTallies()
    var worker = WorkerTally()

    /// Changes a listener's tally.
    mutating func note(_ listener: Int, _ change: (inout ListenerTally) -> Void) {
        if !dirtyListeners.contains(listener) { dirtyListeners.append(listener) }
        change(&listeners[listener])
    }

    /// Goes over to other listeners; a slot that another listener has now begins at zero.
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

    /// Shows the tallies to other threads.
    mutating func publish(to listenerCounters: [ListenerCounters], _ counters: WorkerCounters) {
        for listener in dirtyListeners {
            listenerCounters[listener].publish(listeners[listener])
        }
        dirtyListeners.removeAll(keepingCapacity: true)
        servers.publish()
        counters.publish(worker)
    }
}
