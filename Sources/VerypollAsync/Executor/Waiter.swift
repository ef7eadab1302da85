internal import SystemPackage

/// Why a wait has ended.
@usableFromInline
enum WaitResult: UInt8, Sendable {
    /// The source may be ready.
    case ready
    /// The deadline has passed.
    case deadlineExceeded
    /// The task was cancelled, or the executor is shutting down.
    case canceled

    @usableFromInline
    func check() throws(Errno) {
        switch self {
        case .ready: return
        case .deadlineExceeded: throw .deadlineExceeded
        case .canceled: throw .canceled
        }
    }
}

/// The directions of a source; one task at a time may wait in each.
@usableFromInline
enum Direction: UInt8, Sendable {
    case read
    case write
}

/// One direction of a source: its readiness, and the task that waits for it.
@safe struct Waiter {
    /// The suspended operation.
    private var continuation: UnsafeContinuation<WaitResult, Never>?
    /// The number of the suspended operation, so that a late cancellation finds the right one.
    private var operation: UInt32 = 0
    /// The last operation whose cancellation arrived before the operation itself.
    private var canceledOperation: UInt32 = 0
    private var deadline = Deadline.never
    /// The place of its alarm in the heap, or -1.
    var alarmIndex = -1

    /// Whether the last call found the source not ready, and no event has come since.
    var isBlocked = false

    /// The cancellation scope that covers the operations, or 0 if each has its own.
    var scope: UInt32 = 0
    /// Whether the scope was cancelled.
    var isCanceled = false

    var isWaiting: Bool { unsafe continuation != nil }

    init() {}

    /// Suspends an operation.
    ///
    /// - Returns: `false` if the operation was cancelled before it got here.
    @inline(__always)
    mutating func suspend(
        _ continuation: UnsafeContinuation<WaitResult, Never>,
        operation: UInt32,
        until deadline: Deadline
    ) -> Bool {
        precondition(!isWaiting, "another task is already waiting for this direction of the source")
        if operation != 0, operation == canceledOperation { return false }
        unsafe self.continuation = continuation
        self.operation = operation
        self.deadline = deadline
        return true
    }

    /// Removes the suspended operation, which the caller resumes once this access has ended.
    @inline(__always)
    mutating func resumable() -> Resumption? {
        guard let waiting = unsafe continuation else { return nil }
        unsafe continuation = nil
        return unsafe Resumption(waiting)
    }

    /// Removes the operation with a number, or notes that it is to be cancelled when it arrives.
    mutating func resumable(canceled operation: UInt32) -> Resumption? {
        if isWaiting, self.operation == operation { return resumable() }
        canceledOperation = operation
        return nil
    }

    /// Decides what an alarm means for the suspended operation.
    mutating func ring(at now: Deadline) -> Ringing {
        guard isWaiting, deadline < .never else { return .ignored }
        guard deadline <= now else { return .later(deadline) }
        guard let resumption = resumable() else { return .ignored }
        return .expired(resumption)
    }

    enum Ringing {
        case ignored
        case later(Deadline)
        case expired(Resumption)
    }
}

/// A suspended operation that was removed from its waiter and must be resumed once.
@safe struct Resumption {
    private let continuation: UnsafeContinuation<WaitResult, Never>

    @inline(__always)
    init(_ continuation: UnsafeContinuation<WaitResult, Never>) {
        unsafe self.continuation = continuation
    }

    @inline(__always)
    func resume(_ result: WaitResult) {
        unsafe continuation.resume(returning: result)
    }
}
