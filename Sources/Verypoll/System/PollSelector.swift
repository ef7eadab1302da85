#if PollSelector
internal import SystemPackage

/// A selector on poll(2), for kernels and sandboxes without epoll(7).
struct Selector: ~Copyable, Sendable {
    private let table: PollSelectorTable

    var fileDescriptor: FileDescriptor {
        fatalError("Verypoll was built with the trait PollSelector, so a poll has no descriptor")
    }

    init() throws(Errno) {
        table = try PollSelectorTable()
    }

    private init(table: PollSelectorTable) {
        self.table = table
    }

    /// Returns a second reference to the same registrations.
    func clone() throws(Errno) -> Selector {
        Selector(table: table)
    }

    func add(_ fd: CInt, token: Token, interest: Interest, mode: RegistrationMode) throws(Errno) {
        try table.add(PollSelectorRegistration(fd, token: token, interest: interest, mode: mode))
    }

    /// Watches an eventfd(2) that is never read: the selector resets it when it is reported.
    func addCounter(_ fd: CInt, token: Token) throws(Errno) {
        var counter = PollSelectorRegistration(fd, token: token, interest: .readable, mode: .level)
        counter.isCounter = true
        try table.add(counter)
    }

    func modify(
        _ fd: CInt,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        try table.modify(PollSelectorRegistration(fd, token: token, interest: interest, mode: mode))
    }

    func delete(_ fd: CInt) throws(Errno) {
        try table.delete(fd)
    }

    func busyPolling() throws(Errno) -> BusyPolling { throw .notSupported }

    func setBusyPolling(_ parameters: BusyPolling) throws(Errno) { throw .notSupported }

    /// Replaces the contents of `ready` with the pending events, waiting if there are none.
    func wait(into ready: inout EventBuffer, timeout: Duration?) throws(Errno) {
        ready.removeAll()
        // A longer timeout could overflow the clock's 64 bits. This cap is 136 years.
        let longest = Duration.seconds(1 << 32)
        var left = timeout.map { max(.zero, min($0, longest)) }
        let deadline = left.map { ContinuousClock.now + $0 }
        // A wait may end without an event: the table changed, or another thread took the event.
        while try !table.ask(into: &ready, timeout: left), ready.isEmpty {
            left = deadline.map { max(.zero, $0 - .now) }
        }
    }
}
#endif
