#if PollSelector
internal import CVerypoll
internal import Synchronization
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The descriptors to poll with poll(2), shared by a selector, its clones and ``SelectorNotice``.
final class PollSelectorTable: Sendable {
    private let state = Mutex(State())

    /// Ends a wait whose entries a change has made stale.
    private let interruption: EventCounter

    private struct State {
        var registrations = PollSelectorRegistrations()

        /// Storage that is reused from wait to wait.
        var questions: [pollfd] = []

        /// Whether a thread waits, or is about to wait, with entries that a change would make
        /// stale.
        var isWaiting = false
        var isInterrupted = false
    }

    init() throws(Errno) {
        interruption = try EventCounter()
        let entry = Live(id: ObjectIdentifier(self), table: self)
        Self.live.withLock { $0.append(entry) }
    }

    deinit {
        let id = ObjectIdentifier(self)
        Self.live.withLock { $0.removeAll { $0.id == id } }
    }

    func add(_ registration: PollSelectorRegistration) throws(Errno) {
        try Self.checkDescriptor(registration.fd)
        try change { registrations throws(Errno) in try registrations.add(registration) }
    }

    func modify(_ registration: PollSelectorRegistration) throws(Errno) {
        try Self.checkDescriptor(registration.fd)
        try change { registrations throws(Errno) in try registrations.modify(registration) }
    }

    func delete(_ fd: CInt) throws(Errno) {
        try Self.checkDescriptor(fd)
        try change { registrations throws(Errno) in
            guard registrations.remove(fd) else { throw .noSuchFileOrDirectory }
        }
    }

    /// Removes a descriptor that is about to be closed, if it is in the table.
    ///
    /// This also ends a wait on the descriptor: while poll(2) holds a socket, close(2) does not
    /// really close it.
    func forget(_ fd: CInt) {
        state.withLock { state in
            if state.registrations.remove(fd) { interrupt(&state) }
        }
    }

    /// Polls a descriptor in edge mode for reported flags again, if it is in the table.
    func rearm(_ fd: CInt, flags: UInt32) {
        state.withLock { state in
            if state.registrations.rearm(fd, flags: flags) { interrupt(&state) }
        }
    }

    /// Calls poll(2) once and appends the events to `ready`; returns whether it timed out.
    func ask(into ready: inout EventBuffer, timeout: Duration?) throws(Errno) -> Bool {
        var questions = beginWait(isLooking: timeout == .zero)
        let time = timeout?.wholeNanoseconds ?? (-1, 0)
        let outcome = Result { () throws(Errno) in
            try syscall {
                unsafe cverypoll_poll(&questions, nfds_t(questions.count), time.0, time.1)
            }
        }
        endWait(questions, into: &ready)
        return try outcome.get() == 0
    }

    /// Returns the entries for poll(2), the first of which is for interruptions.
    private func beginWait(isLooking: Bool) -> [pollfd] {
        state.withLock { state in
            state.isWaiting = !isLooking
            var questions: [pollfd] = []
            swap(&questions, &state.questions)
            questions.removeAll(keepingCapacity: true)
            questions.append(pollfd(fd: interruption.rawValue, events: Int16(POLLIN), revents: 0))
            state.registrations.ask(in: &questions)
            return questions
        }
    }

    private func endWait(_ answers: [pollfd], into ready: inout EventBuffer) {
        state.withLock { state in
            state.isWaiting = false
            // This cannot fail, because the table owns the descriptor.
            if state.isInterrupted { try? EventCounter.reset(interruption.rawValue) }
            state.isInterrupted = false
            state.registrations.report(answers.dropFirst(), into: &ready)
            state.questions = answers
        }
    }

    private func change(
        _ body: (inout PollSelectorRegistrations) throws(Errno) -> Void
    ) throws(Errno) {
        try state.withLock { state throws(Errno) in
            try body(&state.registrations)
            interrupt(&state)
        }
    }

    /// Makes a waiting thread, if any, call poll(2) again with new entries.
    private func interrupt(_ state: inout State) {
        guard state.isWaiting, !state.isInterrupted else { return }
        state.isInterrupted = true
        // This cannot fail: the counter is 0 unless a thread is being interrupted.
        _ = try? interruption.add(1)
    }

    /// Throws the errors of epoll_ctl(2) for descriptors that are closed or always ready.
    private static func checkDescriptor(_ fd: CInt) throws(Errno) {
        var status = stat()
        _ = try syscall { unsafe fstat(fd, &status) }
        let type = status.st_mode & S_IFMT
        if type == S_IFREG || type == S_IFDIR { throw .notPermitted }
    }
}

extension PollSelectorTable {
    /// A table of this process, held weakly: the table lives as long as its selector.
    private struct Live: Sendable {
        let id: ObjectIdentifier
        weak let table: PollSelectorTable?
    }

    private static let live = Mutex<[Live]>([])

    /// Calls `body` with each table of this process.
    static func forEach(_ body: (PollSelectorTable) -> Void) {
        // Call `body` without the lock, because `table` may be the last reference, and `deinit`
        // takes the lock.
        for entry in live.withLock({ $0 }) {
            if let table = entry.table { body(table) }
        }
    }
}
#endif
