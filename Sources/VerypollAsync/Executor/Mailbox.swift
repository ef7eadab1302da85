internal import Synchronization
internal import SystemPackage
internal import Verypoll

/// A message to the executor's thread, from another thread or from a place where no task may be
/// resumed.
@safe enum Message {
    case job(UnownedJob)
    case wait(ForeignWait)
    case cancelOperation(SourceKey, Direction, UInt32)
    case cancelScope(SourceKey, UInt32)
    /// Cancels the operations of all connections of a `serve` method.
    case cancelServeScope(UInt32)
    case endScope(SourceKey, UInt32)
    case remove(SourceKey)
    case shutDown(Shutdown)
}

/// The wait of a task that does not run on the executor's thread.
@safe struct ForeignWait {
    let key: SourceKey
    let direction: Direction
    /// The number of the source's events before the call that found it not ready.
    let seenEvents: UInt32
    let operation: UInt32
    let deadline: Deadline
    let continuation: UnsafeContinuation<WaitResult, Never>
}

/// A request to end the executor.
@safe struct Shutdown {
    /// When tasks that still wait are canceled.
    let deadline: Deadline
    /// The caller that waits for the end.
    let continuation: UnsafeContinuation<Void, Never>?
}

/// The messages to an executor's thread, which is woken once for all that arrive before it looks.
///
/// Its length is limited by the number of tasks and sources: each has only a few messages at a
/// time.
struct Mailbox: ~Copyable, Sendable {
    private let contents = Mutex(Contents())
    /// Whether the thread will look, changed with the lock held.
    ///
    /// It is atomic for the thread sanitizer, which does not see that a
    /// `Mutex` orders accesses, but sees that an atomic does.
    private let isWoken = Atomic<Bool>(false)
    private let waker: Waker

    // Not private: Swift 6.3.1 crashes on a private type in a `Mutex` of a noncopyable type.
    struct Contents {
        var messages: [Message] = []
        var isClosed = false
    }

    init(waker: Waker) {
        self.waker = waker
    }

    /// Sends a message.
    ///
    /// - Returns: `false` if the executor has ended, so that the caller must act itself.
    func post(_ message: Message) -> Bool {
        var wasWoken = true
        let isOpen = contents.withLock { contents in
            guard !contents.isClosed else { return false }
            _ = isWoken.load(ordering: .acquiring)
            contents.messages.append(message)
            wasWoken = isWoken.exchange(true, ordering: .acquiringAndReleasing)
            return true
        }
        guard isOpen else { return false }
        do throws(Errno) {
            if !wasWoken { try waker.wake() }
        } catch {
            preconditionFailure("the waker of the executor failed: \(error)")
        }
        return true
    }

    /// Moves all messages to `messages`, which is empty, and keeps its storage for the next ones.
    func receive(into messages: inout [Message]) {
        contents.withLock { contents in
            _ = isWoken.exchange(false, ordering: .acquiringAndReleasing)
            swap(&contents.messages, &messages)
        }
    }

    /// Moves the last messages to `messages`, and accepts no more.
    func close(into messages: inout [Message]) {
        contents.withLock { contents in
            _ = isWoken.exchange(false, ordering: .acquiringAndReleasing)
            contents.isClosed = true
            swap(&contents.messages, &messages)
        }
    }
}
