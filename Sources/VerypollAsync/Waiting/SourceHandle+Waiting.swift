internal import Synchronization
public import SystemPackage

/// One try of an operation, which is repeated until the source is ready.
@usableFromInline
struct Attempt {
    /// Whether the task runs on another thread than the source's executor.
    fileprivate var isForeign = false
    /// Whether the last try found the source not ready; for foreign attempts.
    fileprivate var isBlocked = false
    /// The number of events before the last try; for foreign attempts.
    fileprivate var seenEvents: UInt32 = 0

    @usableFromInline init() {}
}

/// The action of an operation before its next try.
@usableFromInline
enum Step {
    /// Nothing.
    case call
    /// Wait, in a cancellation scope.
    case wait
    /// Anything else; see `beginSlowly`.
    case other
}

// An operation is a loop: `begin`, a call that does not block, and `block` if the call found the
// source not ready. On the executor's own thread, `begin` waits as long as no event has come since
// then. On other threads, the call is made at once, and the number of the source's events tells the
// executor whether one came between the call and the wait.
//
// The loops of reads are compiled into their callers, because an async call costs about 100
// instructions for its memory, and more if a deadline is passed. So a read in a cancellation scope
// makes no async call, and suspends its caller itself.
extension SourceHandle {
    /// Repeats a call that returns `nil` while the source is not ready.
    @inline(__always)
    func perform<Value>(
        _ direction: Direction,
        until deadline: Deadline,
        _ call: () throws(Errno) -> Value?
    ) async throws(Errno) -> Value {
        var attempt = Attempt()
        while true {
            try await begin(direction, &attempt, until: deadline)
            if let value = try call() { return value }
            block(direction, &attempt)
        }
    }

    /// Waits until the next try may succeed.
    ///
    /// - Throws: `Errno.canceled` or `Errno.deadlineExceeded`.
    @inlinable
    @inline(__always)
    func begin(
        _ direction: Direction,
        _ attempt: inout Attempt,
        until deadline: Deadline
    ) async throws(Errno) {
        switch step(direction, &attempt) {
        case .call:
            return
        case .wait:
            let result = await unsafe withUnsafeContinuation { continuation in
                unsafe suspend(direction, until: deadline, continuation)
            }
            try result.check()
        case .other:
            try await beginSlowly(direction, &attempt, until: deadline)
        }
    }

    /// Decides what to do before the next try, and counts the call if it is to be made at once.
    @usableFromInline
    func step(_ direction: Direction, _ attempt: inout Attempt) -> Step {
        guard isCurrent else { return .other }
        attempt.isForeign = false
        let waiter = waiter(direction)
        if waiter.value.isBlocked { return waiter.value.scope == 0 ? .other : .wait }
        guard core.value.callsLeft > 0, !waiter.value.isCanceled else { return .other }
        core.value.callsLeft &-= 1
        return .call
    }

    /// Notes that a call found the source not ready.
    @inline(__always)
    func block(_ direction: Direction, _ attempt: inout Attempt) {
        if attempt.isForeign {
            attempt.isBlocked = true
        } else {
            waiter(direction).value.isBlocked = true
        }
    }

    /// Notes that a read stored fewer bytes than there was room for, so that the next one need not
    /// be tried before an event.
    @inline(__always)
    func finishRead(_ count: Int, of room: Int, _ attempt: Attempt) {
        guard count < room, count > 0, !attempt.isForeign, slot.value.trustsShortReads else {
            return
        }
        slot.value.reader.isBlocked = true
    }

    // MARK: On the executor's thread

    /// Suspends an operation, or resumes it at once if there is no need to wait.
    @usableFromInline
    func suspend(
        _ direction: Direction,
        until deadline: Deadline,
        _ continuation: UnsafeContinuation<WaitResult, Never>
    ) {
        if waiter(direction).value.isCanceled {
            return unsafe continuation.resume(returning: .canceled)
        }
        if direction == .write { slot.watchWrites(in: core, key) }
        let deadline = DeadlineScope.earliest(deadline)
        unsafe core.suspend(slot, direction, until: deadline, continuation)
    }

    /// Begins an operation on another thread, without a cancellation scope, or at the end of the
    /// task's turn.
    @usableFromInline
    @inline(never)
    func beginSlowly(
        _ direction: Direction,
        _ attempt: inout Attempt,
        until deadline: Deadline
    ) async throws(Errno) {
        if !isCurrent {
            try await beginElsewhere(direction, &attempt, until: deadline)
        } else if waiter(direction).value.isBlocked {
            if direction == .write { slot.watchWrites(in: core, key) }
            let deadline = DeadlineScope.earliest(deadline)
            try await waitCancellably(direction, until: deadline).check()
        } else {
            try await letOthersRun(direction)
        }
    }

    /// Waits with a cancellation handler for this wait alone.
    ///
    /// The runtime holds a lock of the task while it calls the handler, so the handler only sends
    /// a message.
    @inline(never)
    private func waitCancellably(
        _ direction: Direction,
        until deadline: Deadline
    ) async -> WaitResult {
        let operation = slot.value.nextOperation()
        return await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { continuation in
                unsafe core.suspend(
                    slot,
                    direction,
                    operation: operation,
                    until: deadline,
                    continuation
                )
            }
        } onCancel: {
            _ = core.post(.cancelOperation(key, direction, operation))
        }
    }

    /// Ends the task's turn, because it has made many calls without waiting.
    @inline(never)
    private func letOthersRun(_ direction: Direction) async throws(Errno) {
        if waiter(direction).value.isCanceled || Task.isCancelled || core.isCanceling(slot) {
            throw .canceled
        }
        guard core.value.callsLeft == 0 else { return }
        core.value.isTurnOver = true
        await Task.yield()
    }

    // MARK: On other threads

    @inline(never)
    private func beginElsewhere(
        _ direction: Direction,
        _ attempt: inout Attempt,
        until deadline: Deadline
    ) async throws(Errno) {
        if attempt.isForeign, attempt.isBlocked {
            try await waitElsewhere(direction, attempt.seenEvents, until: deadline).check()
        }
        attempt.isForeign = true
        attempt.isBlocked = false
        attempt.seenEvents = slot.value.events.load(ordering: .acquiring)
    }

    private func waitElsewhere(
        _ direction: Direction,
        _ seenEvents: UInt32,
        until deadline: Deadline
    ) async -> WaitResult {
        let operation = slot.value.nextOperation()
        let deadline = DeadlineScope.earliest(deadline)
        return await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { continuation in
                let wait = unsafe ForeignWait(
                    key: key,
                    direction: direction,
                    seenEvents: seenEvents,
                    operation: operation,
                    deadline: deadline,
                    continuation: continuation
                )
                if !core.post(.wait(wait)) { unsafe continuation.resume(returning: .canceled) }
            }
        } onCancel: {
            _ = core.post(.cancelOperation(key, direction, operation))
        }
    }

    /// Waits for a time; for the handle of a timer.
    func sleep(until deadline: Deadline) async throws(Errno) {
        let end = DeadlineScope.earliest(deadline)
        let result =
            isCurrent
            ? await waitCancellably(.read, until: end)
            : await waitElsewhere(.read, slot.value.events.load(ordering: .relaxed), until: end)
        if result == .canceled { throw .canceled }
        if end < deadline { throw .deadlineExceeded }
    }
}
