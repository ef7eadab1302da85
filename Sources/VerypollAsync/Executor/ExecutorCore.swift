internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import Verypoll

/// The state of an executor.
///
/// Other threads may use the constants. The variables belong to the executor's thread.
struct ExecutorCore: ~Copyable {
    var poll: Poll
    var jobs = JobQueue()
    var alarms = AlarmHeap()
    var phase = Phase.running
    /// Requests to end the executor while it already ends.
    var laterShutdowns: [Shutdown] = []
    /// The calls that the running task may still make before others get their turn.
    var callsLeft = 0
    /// Whether a task has used up its calls in this turn.
    var isTurnOver = false
    /// The buffer that reads without one of their own share.
    var scratch = [UInt8](repeating: 0, count: 65_536)
    /// The emptied storage of the last messages.
    var messages: [Message] = []

    let registry: Registry
    let mailbox: Mailbox
    let sources: SourceTable
    /// The thread that runs the executor, or 0.
    let thread = Atomic<UInt>(0)

    enum Phase {
        case running
        /// Tasks may end by themselves until the deadline.
        case draining(Shutdown)
        /// Waits are canceled; the tasks have until the time to end here.
        case canceling(Shutdown, until: Deadline)
    }

    init(sourceLimit: Int) throws(Errno) {
        let poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Self.wakerToken)
        registry = try poll.registry.clone()
        mailbox = Mailbox(waker: waker)
        sources = SourceTable(capacity: sourceLimit)
        self.poll = poll
    }

    static var wakerToken: Token { Token(-1) }

    /// How many calls a task may make before other tasks get their turn.
    static var callsPerTurn: Int { 32 }

    /// How many jobs of a turn may be made ready by other jobs of the turn.
    static var furtherJobsPerTurn: Int { 256 }

    /// Whether the calling thread runs the executor.
    @inline(__always)
    var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

}

extension ThreadReference<ExecutorCore> {
    @inline(__always) var isCurrent: Bool { value.isCurrent }

    /// Runs jobs until the executor is shut down.
    ///
    /// Each turn handles the events of one poll, and then runs the jobs that are ready. Jobs that
    /// these make ready, such as those of new tasks, still belong to the turn, up to a number and
    /// unless a task has used up its calls: then the next turn begins with a poll, so that no
    /// source waits for more than one turn of the others.
    func run(as executor: UnownedTaskExecutor) {
        value.thread.store(UInt(pthread_self()), ordering: .relaxed)
        var events = Events(capacity: 512)
        while true {
            let now = poll(&events)
            for event in events {
                if let key = SourceKey(event.token) {
                    report(event, of: key)
                } else {
                    readMail()
                }
            }
            if let now { ringAlarms(at: now) }
            unsafe runJobs(as: executor)
            if case .running = value.phase { continue }
            if hasEnded() { break }
        }
        end()
    }

    /// Waits for events, and returns the current time if deadlines have passed.
    ///
    /// Then the poll does not wait, and the caller ends the waits only after it has handled the
    /// events: an operation whose source is ready succeeds although its deadline has passed.
    private func poll(_ events: inout Events) -> Deadline? {
        var timeout = value.jobs.isEmpty ? nil : Duration.zero
        var now: Deadline?
        let next = min(value.alarms.first, drainDeadline)
        if next < .never {
            let time = Deadline.now
            if next <= time { now = time }
            if value.jobs.isEmpty { timeout = next - time }
        }
        do throws(Errno) {
            // Interruptible, because a turn without events does no harm, and the poll then need not
            // read the clock in case it has to continue.
            try value.poll.poll(&events, timeout: timeout, interruptible: true)
        } catch .interrupted {
            events.removeAll()
        } catch {
            preconditionFailure("the poll of the executor failed: \(error)")
        }
        return now
    }

    @inline(__always)
    private func runJobs(as executor: UnownedTaskExecutor) {
        value.isTurnOver = false
        var ready = value.jobs.count
        var more = ExecutorCore.furtherJobsPerTurn
        while let job = value.jobs.popFirst() {
            value.callsLeft = ExecutorCore.callsPerTurn
            unsafe job.runSynchronously(on: executor)
            ready &-= 1
            if ready > 0 { continue }
            more &-= 1
            if more == 0 || value.isTurnOver { return }
        }
    }

    @inline(__always)
    private func report(_ event: Event, of key: SourceKey) {
        guard let slot = value.sources.slot(key) else { return }
        slot.value.countEvent()
        let hasFailed = event.isError || event.isWriteClosed
        if event.isReadClosed || event.isPriority || hasFailed {
            slot.value.trustsShortReads = false
        }
        if event.isReadable || event.isReadClosed || event.isPriority || hasFailed {
            slot.value.reader.isBlocked = false
            slot.value.reader.resumable()?.resume(.ready)
        }
        if event.isWritable || hasFailed {
            slot.value.writer.isBlocked = false
            slot.value.writer.resumable()?.resume(.ready)
        }
    }

    private func ringAlarms(at now: Deadline) {
        while let waiter = value.alarms.popFirst(before: now) {
            switch waiter.value.ring(at: now) {
            case .ignored: continue
            case .later(let deadline): value.alarms.set(waiter, noLaterThan: deadline)
            case .expired(let resumption): resumption.resume(.deadlineExceeded)
            }
        }
    }

    /// Suspends an operation of this thread, or resumes it at once if there is no need to wait.
    @inline(__always)
    func suspend(
        _ slot: ThreadReference<SourceSlot>,
        _ direction: Direction,
        operation: UInt32 = 0,
        until deadline: Deadline,
        _ continuation: UnsafeContinuation<WaitResult, Never>
    ) {
        let waiter = slot.waiter(direction)
        // The runtime may run other jobs before it suspends the task, so the event may have come
        // already: swiftlang/swift#85668.
        guard waiter.value.isBlocked else { return unsafe continuation.resume(returning: .ready) }
        guard
            !isCanceling(slot),
            unsafe waiter.value.suspend(continuation, operation: operation, until: deadline)
        else {
            return unsafe continuation.resume(returning: .canceled)
        }
        if deadline < .never { value.alarms.set(waiter, noLaterThan: deadline) }
    }

    /// Whether waits for the source are canceled, because the executor is being shut down.
    @inline(__always)
    func isCanceling(_ slot: ThreadReference<SourceSlot>) -> Bool {
        switch value.phase {
        case .running: false
        case .draining: slot.value.kind == .listener
        case .canceling: true
        }
    }

    /// Frees the slot of a source.
    func remove(_ key: SourceKey) {
        guard let slot = value.sources.slot(key) else { return }
        removeAlarm(of: slot.waiter(.read))
        removeAlarm(of: slot.waiter(.write))
        value.sources.remove(key)
    }

    private func removeAlarm(of waiter: ThreadReference<Waiter>) {
        precondition(!waiter.value.isWaiting, "a source with a waiting task was closed")
        if waiter.value.alarmIndex >= 0 { value.alarms.remove(waiter) }
    }
}
