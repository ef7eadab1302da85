internal import Glibc
internal import Synchronization
public import SystemPackage
internal import Verypoll

/// One thread with one `Poll`, which runs the tasks that prefer it and resumes them when their
/// sockets are ready.
///
/// ```swift
/// try PollExecutor.run { executor in
///     let listener = try AsyncTCPListener(binding: .loopback(port: 7), on: executor)
///     try await listener.serve { stream in
///         var buffer = [UInt8](repeating: 0, count: 16384)
///         do throws(Errno) {
///             while case let count = try await stream.read(into: buffer.mutableSpan), count > 0 {
///                 try await stream.writeAll(buffer.span.extracting(first: count))
///             }
///         } catch {
///             print("connection failed: \(error)")
///         }
///     }
/// }
/// ```
///
/// A socket belongs to the executor that it was created with. Use it in tasks that prefer that
/// executor: those that ``run(sourceLimit:_:)`` and the `serve` methods start, their child tasks,
/// and the code in `withTaskExecutorPreference`. An operation of such a task costs no lock, no
/// allocation and no switch of threads. An operation of any other task works too, but each of its
/// waits costs two messages between threads.
///
/// Child tasks inherit the preference, but unstructured ones do not: write
/// `Task(executorPreference: executor) { … }`.
///
/// Never block the thread of an executor: while a task computes or makes a blocking call, no other
/// task of the executor runs. After 32 calls that did not need to wait, an operation lets the other
/// tasks run first.
public final class PollExecutor: TaskExecutor {
    let core: ThreadReference<ExecutorCore>

    /// Creates an executor that does not run yet.
    init(sourceLimit: Int) throws(Errno) {
        core = ThreadReference(try ExecutorCore(sourceLimit: sourceLimit))
    }

    deinit {
        core.deallocate()
    }

    /// Called by the Swift runtime for each job of a task that prefers this executor.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if core.isCurrent {
            core.value.jobs.append(job)
        } else if !core.post(.job(job)) {
            continueElsewhere(job)
        }
    }

    /// Whether the calling code runs on the executor's thread.
    public var isCurrent: Bool { core.isCurrent }

    // MARK: Life

    /// Starts an executor on a thread of its own.
    ///
    /// The thread runs until ``shutdown(until:)`` is called.
    ///
    /// - Parameter sourceLimit: The most sockets, other sources and sleeping tasks that the
    ///   executor has at a time; more throw `Errno.tooManyOpenFiles`. A source that another thread
    ///   closes counts until the executor's thread has noticed. Their memory, about 300 bytes
    ///   for each, is reserved at once and used as needed.
    /// - Returns: The executor.
    /// - Throws: `Errno.tooManyOpenFiles`, or `Errno.resourceTemporarilyUnavailable` if the process
    ///   cannot start a thread. See epoll_create1(2) and pthread_create(3).
    public static func start(sourceLimit: Int = 1 << 18) throws(Errno) -> PollExecutor {
        let executor = try PollExecutor(sourceLimit: sourceLimit)
        try startThread(executor)
        return executor
    }

    /// Runs `body` and all tasks that it starts on the calling thread, and returns when `body` has
    /// returned.
    ///
    /// For the `main` of a program. Tasks that still wait when `body` returns are canceled. If the
    /// executor is shut down before, `body` continues on the global executor until it returns.
    ///
    /// The main actor does not run meanwhile if this is called on the main thread, so tasks must
    /// not wait for it.
    ///
    /// - Parameters:
    ///   - sourceLimit: Same as for ``start(sourceLimit:)``.
    ///   - body: The work. It gets the executor, to create sockets with.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`, or an `Errno` if the executor cannot be created.
    public static func run<Value: Sendable>(
        sourceLimit: Int = 1 << 18,
        _ body: sending @escaping (PollExecutor) async throws -> Value
    ) throws -> Value {
        let executor = try PollExecutor(sourceLimit: sourceLimit)
        let outcome = Outcome<Value>()
        Task(executorPreference: executor) {
            do {
                outcome.set(.success(try await body(executor)))
            } catch {
                outcome.set(.failure(error))
            }
            executor.requestShutdown(until: .now)
        }
        executor.runUntilShutdown()
        return try outcome.wait().get()
    }

    /// Ends the executor, once its tasks are done.
    ///
    /// Listeners stop accepting at once: an accept that waits throws `Errno.canceled`. The executor
    /// goes on until its connections and other sources are closed and no task sleeps on it, or
    /// until the deadline. Then every wait ends with `Errno.canceled`, the tasks run until they end
    /// or wait for something else, and the thread ends. A task that prefers the executor afterward
    /// runs on the global executor, and its operations throw `Errno.canceled` where they would
    /// have to wait.
    ///
    /// May be called from any task, those of the executor included, and more than once.
    ///
    /// - Parameter deadline: The time for the tasks to end by themselves. By default, they have
    ///   none.
    public func shutdown(until deadline: Deadline = .now) async {
        await unsafe withUnsafeContinuation { continuation in
            let shutdown = unsafe Shutdown(
                deadline: deadline,
                continuation: continuation
            )
            if !core.post(.shutDown(shutdown)) { unsafe continuation.resume() }
        }
    }

    /// Starts to end the executor, without waiting for the end.
    func requestShutdown(until deadline: Deadline) {
        _ = core.post(.shutDown(unsafe Shutdown(deadline: deadline, continuation: nil)))
    }
}

/// The result of the work that an executor runs.
private final class Outcome<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        /// Wakes the thread that waits for the result.
        var waker: Waker?
    }

    private let state = Mutex(State())

    func set(_ result: Result<Value, any Error>) {
        let waker = state.withLock { state in
            state.result = result
            return state.waker
        }
        do throws(Errno) {
            try waker?.wake()
        } catch {
            preconditionFailure("the end of the executor's work cannot be reported: \(error)")
        }
    }

    /// Blocks the thread until there is a result.
    ///
    /// There is one already, unless the executor was shut down before the end of its work.
    func wait() throws(Errno) -> Result<Value, any Error> {
        if let result = state.withLock({ $0.result }) { return result }
        var poll = try Poll()
        var events = Events(capacity: 1)
        let waker = try Waker(registry: poll.registry, token: Token(0))
        state.withLock { $0.waker = waker }
        while true {
            if let result = state.withLock({ $0.result }) { return result }
            try poll.poll(&events)
        }
    }
}
