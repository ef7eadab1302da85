internal import Synchronization
internal import SystemPackage
internal import Verypoll

extension ThreadReference<ExecutorCore> {
    /// Sends a message to the executor's thread.
    ///
    /// - Returns: `false` if the executor has ended.
    func post(_ message: Message) -> Bool {
        value.mailbox.post(message)
    }

    func readMail() {
        var messages: [Message] = []
        swap(&messages, &value.messages)
        value.mailbox.receive(into: &messages)
        for message in messages { handle(message) }
        messages.removeAll(keepingCapacity: messages.capacity <= 1024)
        swap(&messages, &value.messages)
    }

    private func handle(_ message: Message) {
        switch message {
        case .job(let job):
            value.jobs.append(job)
        case .wait(let wait):
            suspend(wait)
        case .cancelOperation(let key, let direction, let operation):
            guard let slot = value.sources.slot(key) else { return }
            let waiter = slot.waiter(direction)
            waiter.value.resumable(canceled: operation)?.resume(.canceled)
        case .cancelScope(let key, let scope):
            guard let slot = value.sources.slot(key) else { return }
            cancel(scope, of: slot.waiter(.read))
            cancel(scope, of: slot.waiter(.write))
        case .cancelServeScope(let scope):
            value.sources.forEach { slot in
                cancel(scope, of: slot.waiter(.read))
                cancel(scope, of: slot.waiter(.write))
            }
        case .endScope(let key, let scope):
            value.sources.slot(key)?.endScope(scope)
        case .remove(let key):
            remove(key)
        case .shutDown(let shutdown):
            shutDown(shutdown)
        }
    }

    private func cancel(_ scope: UInt32, of waiter: ThreadReference<Waiter>) {
        guard waiter.value.scope == scope else { return }
        waiter.value.isCanceled = true
        waiter.value.resumable()?.resume(.canceled)
    }

    private func suspend(_ wait: ForeignWait) {
        let continuation = unsafe wait.continuation
        // The task borrows its source while it waits, so the source exists.
        guard let slot = value.sources.slot(wait.key) else {
            return unsafe continuation.resume(returning: .canceled)
        }
        if wait.direction == .write { slot.watchWrites(in: self, wait.key) }
        guard slot.value.events.load(ordering: .relaxed) == wait.seenEvents else {
            return unsafe continuation.resume(returning: .ready)
        }
        slot.waiter(wait.direction).value.isBlocked = true
        unsafe suspend(
            slot,
            wait.direction,
            operation: wait.operation,
            until: wait.deadline,
            continuation
        )
    }

    // MARK: The end

    private func shutDown(_ shutdown: Shutdown) {
        guard case .running = value.phase else {
            // Another caller was first. This one is resumed at the end as well.
            value.laterShutdowns.append(shutdown)
            return
        }
        value.phase = .draining(shutdown)
        value.sources.forEach { slot in
            // Another thread may be occupying the slot if no task waits there.
            guard slot.value.reader.isWaiting, slot.value.kind == .listener else { return }
            slot.value.reader.resumable()?.resume(.canceled)
        }
    }

    /// The time at which waits are canceled: the earliest that a caller has asked for.
    var drainDeadline: Deadline {
        guard case .draining(let shutdown) = value.phase else { return .never }
        return value.laterShutdowns.reduce(shutdown.deadline) { min($0, $1.deadline) }
    }

    /// Advances the shutdown at the end of a turn.
    ///
    /// - Returns: Whether nothing is left to run on this thread.
    func hasEnded() -> Bool {
        switch value.phase {
        case .running:
            return false
        case .draining(let shutdown):
            if value.jobs.isEmpty, value.sources.delayingCount == 0 { return true }
            let now = Deadline.now
            guard drainDeadline <= now else { return false }
            value.phase = .canceling(shutdown, until: now + .seconds(1))
            value.sources.forEach { slot in
                slot.value.reader.resumable()?.resume(.canceled)
                slot.value.writer.resumable()?.resume(.canceled)
            }
            return value.jobs.isEmpty
        case .canceling(_, let time):
            return value.jobs.isEmpty || time <= .now
        }
    }

    /// Hands everything that is left over to the global executor.
    func end() {
        var shutdowns = value.laterShutdowns
        switch value.phase {
        case .running: break
        case .draining(let shutdown), .canceling(let shutdown, _): shutdowns.append(shutdown)
        }
        // From now on, any thread may remove its sources, but the heap belongs to this one.
        value.alarms.removeAll()
        var messages: [Message] = []
        value.thread.store(0, ordering: .relaxed)
        value.mailbox.close(into: &messages)
        while let job = value.jobs.popFirst() { continueElsewhere(job) }
        for message in messages {
            switch message {
            case .job(let job): continueElsewhere(job)
            case .wait(let wait): unsafe wait.continuation.resume(returning: .canceled)
            case .remove(let key): remove(key)
            case .shutDown(let shutdown): shutdowns.append(shutdown)
            case .cancelOperation, .cancelScope, .cancelServeScope, .endScope: continue
            }
        }
        for shutdown in shutdowns { unsafe shutdown.continuation?.resume() }
    }
}

/// Runs a job on the global executor, because the thread of its own executor has ended.
func continueElsewhere(_ job: UnownedJob) {
    globalConcurrentExecutor.enqueue(ExecutorJob(job))
}
