#if PollSelector
internal import CVerypoll
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// What poll(2) is asked about, shared by a selector, its clones and whoever gives it notice.
final class PollSelectorTable: Sendable {
    private let state = Mutex(State())

    /// Ends a wait that does not know of a change.
    private let interruption: EventCounter

    private struct State {
        var registrations = PollSelectorRegistrations()

        /// Storage that is kept from wait to wait.
        var questions: [pollfd] = []

        /// Whether a thread waits, or is about to, with questions that a change would make old.
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

    /// Takes a descriptor that is about to be closed off the table, if it is there.
    ///
    /// A wait lets go of it then: as long as poll(2) holds it, a socket is not really closed.
    func forget(_ fd: CInt) {
        state.withLock { state in
            if state.registrations.remove(fd) { interrupt(&state) }
        }
    }

    /// Asks again for what was reported of a descriptor in edge mode, if it is there.
    func rearm(_ fd: CInt, flags: UInt32) {
        state.withLock { state in
            if state.registrations.rearm(fd, flags: flags) { interrupt(&state) }
        }
    }

    /// Asks poll(2) once and appends the events to `ready`; returns whether the time ran out.
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

    /// The questions, of which the first is about interruptions.
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
            // It can't fail, as the descriptor is the table's own.
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

    /// Makes the thread that waits ask anew, if there is one.
    private func interrupt(_ state: inout State) {
        guard state.isWaiting, !state.isInterrupted else { return }
        state.isInterrupted = true
        // It can't fail: the counter is 0 whenever nobody is being interrupted.
        _ = try? interruption.add(1)
    }

    /// Throws as epoll_ctl(2) does for descriptors that are closed, or always ready.
    private static func checkDescriptor(_ fd: CInt) throws(Errno) {
        var status = stat()
        _ = try syscall { unsafe fstat(fd, &status) }
        let type = status.st_mode & S_IFMT
        if type == S_IFREG || type == S_IFDIR { throw .notPermitted }
    }
}

extension PollSelectorTable {
    /// A table of the process, held weakly: it lives for as long as its selector.
    private struct Live: Sendable {
        let id: ObjectIdentifier
        weak let table: PollSelectorTable?
    }

    private static let live = Mutex<[Live]>([])

    /// Works on each table that there is.
    static func forEach(_ body: (PollSelectorTable) -> Void) {
        // Not under the lock: the last reference to a table may be the one that is held here.
        for entry in live.withLock({ $0 }) {
            if let table = entry.table { body(table) }
        }
    }
}
#endif
