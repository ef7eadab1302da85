internal import SystemPackage

/// A counter of wake-ups, each of which is an event.
struct WakeCounter: ~Copyable, Sendable {
    private let counter: EventCounter

    init(selector: borrowing Selector, token: Token) throws(Errno) {
        let counter = try EventCounter()
        try selector.addCounter(counter.rawValue, token: token)
        self.counter = counter  // Last: nothing may throw once a noncopyable field is set.
    }

    func increment() throws(Errno) {
        // Adding blocks only where the counter would overflow; then reset it and try again.
        while try counter.add(1) == nil { try EventCounter.reset(counter.rawValue) }
    }
}
