internal import SystemPackage

/// A counter of wake-ups whose every increase is an event.
struct WakeCounter: ~Copyable, Sendable {
    private let counter: EventCounter

    init(selector: borrowing Selector, token: Token) throws(Errno) {
        let counter = try EventCounter()
        try selector.addCounter(counter.rawValue, token: token)
        self.counter = counter  // Last: nothing may throw after a noncopyable field is set.
    }

    func increment() throws(Errno) {
        // `add` returns `nil` only if the counter would overflow. Then reset it and retry.
        while try counter.add(1) == nil { try EventCounter.reset(counter.rawValue) }
    }
}
