internal import Synchronization
internal import SystemPackage
internal import Verypoll

/// Accepts connections and runs `body` for each, for the `serve` methods of the listeners.
///
/// - Parameters:
///   - limit: The most connections at a time.
///   - nextExecutor: Returns the executor of the next connection.
///   - executors: The executors that it can return.
///   - body: The work for a connection.
///   - accept: Accepts a connection for an executor.
/// - Throws: The reason why accepting has failed, after the last connection has ended.
func serveConnections<Stream: AsyncSource & ~Copyable>(
    limit: Int,
    on nextExecutor: () -> PollExecutor,
    of executors: [PollExecutor],
    _ body: @escaping @Sendable (borrowing Stream) async -> Void,
    accept: (PollExecutor) async throws(Errno) -> Stream
) async throws(Errno) {
    let scope = ServeScope(executors)
    let failure = await withTaskCancellationHandler {
        await acceptConnections(limit: limit, on: nextExecutor, accept: accept) {
            group,
            stream,
            executor,
            places in
            let stream = stream
            group.addTask(executorPreference: executor) {
                scope.enter(stream.handle)
                await body(stream)
                places.free()
            }
        }
    } onCancel: {
        scope.cancel()
    }
    throw failure
}

/// Accepts connections and passes each on to `body`, for the `serveOwned` methods of the listeners.
func serveOwnedConnections<Stream: AsyncSource & ~Copyable>(
    limit: Int,
    on nextExecutor: () -> PollExecutor,
    _ body: @escaping @Sendable (consuming Stream) async -> Void,
    accept: (PollExecutor) async throws(Errno) -> Stream
) async throws(Errno) {
    throw await acceptConnections(limit: limit, on: nextExecutor, accept: accept) {
        group,
        stream,
        executor,
        places in
        // A task's closure cannot consume a noncopyable value, but it can take an optional.
        var stream: Stream? = stream
        group.addTask(executorPreference: executor) {
            if let stream = stream.take() { await body(stream) }
            places.free()
        }
    }
}

/// Accepts connections and starts a task for each, until accepting fails.
///
/// - Returns: The reason why accepting has failed, after the last task has ended.
private func acceptConnections<Stream: AsyncSource & ~Copyable>(
    limit: Int,
    on nextExecutor: () -> PollExecutor,
    accept: (PollExecutor) async throws(Errno) -> Stream,
    start: (
        inout DiscardingTaskGroup, consuming Stream, PollExecutor, ConnectionPlaces
    ) -> Void
) async -> Errno {
    precondition(limit > 0, "the limit of connections must be positive")
    let places = ConnectionPlaces(count: limit)
    return await withDiscardingTaskGroup(returning: Errno.self) { group in
        while true {
            do throws(Errno) {
                try await places.reserve()
                let executor = nextExecutor()
                let stream = try await acceptPatiently(on: executor, accept)
                start(&group, stream, executor, places)
            } catch {
                return error
            }
        }
    }
}

/// The cancellation scope of all connections of a `serve` method.
///
/// Nothing else can cancel their tasks, so one handler for all of them is enough.
private final class ServeScope: Sendable {
    private static let lastNumber = Atomic<UInt32>(0)

    private let executors: [PollExecutor]
    private let number: UInt32
    private let isCanceled = Atomic<Bool>(false)

    init(_ executors: [PollExecutor]) {
        self.executors = executors
        let last = Self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        number = SourceSlot.serveScope(numbered: last)
    }

    /// Adds the operations of a connection to the scope, at the beginning of its task.
    func enter(_ connection: SourceHandle) {
        connection.enterScope(number)
        // The message of a cancellation may have come before the connection had the scope.
        guard isCanceled.load(ordering: .sequentiallyConsistent) else { return }
        connection.cancelServeScope(number)
    }

    /// Cancels the operations of all connections; called with a lock of the task held.
    func cancel() {
        isCanceled.store(true, ordering: .sequentiallyConsistent)
        for executor in executors { _ = executor.core.post(.cancelServeScope(number)) }
    }
}

/// Accepts a connection, even if the process lacks resources for a while.
private func acceptPatiently<Stream: ~Copyable>(
    on executor: PollExecutor,
    _ accept: (PollExecutor) async throws(Errno) -> Stream
) async throws(Errno) -> Stream {
    while true {
        do throws(Errno) {
            return try await accept(executor)
        } catch let error where AcceptFailure(error) == .resources {
            // No event reports that a descriptor has become free.
            try await executor.sleep(until: .now + .milliseconds(100))
        }
    }
}

/// The places of the connections that a `serve` method may have at a time.
private final class ConnectionPlaces: Sendable {
    private let state: Mutex<State>

    struct State {
        var free: Int
        /// The accepting task, while all places are taken.
        var waiter: CheckedContinuation<Bool, Never>?
        var isCanceled = false
    }

    init(count: Int) {
        state = Mutex(State(free: count))
    }

    /// Takes a place, once one is free.
    func reserve() async throws(Errno) {
        let isImmediate = state.withLock { state in
            guard state.free > 0 else { return false }
            state.free -= 1
            return true
        }
        if isImmediate { return }
        let isReserved = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.isCanceled { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            cancel()
        }
        guard isReserved else { throw .canceled }
    }

    func free() {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let waiter = state.waiter else {
                state.free += 1
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: true)
    }

    private func cancel() {
        let waiter = state.withLock { state in
            state.isCanceled = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: false)
    }
}
