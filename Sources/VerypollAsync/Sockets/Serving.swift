internal import Synchronization
internal import SystemPackage
internal import Verypoll

/// Accepts connections and runs `body` for each, for the `serve` methods of the listeners.
func serveConnections<Stream: AsyncSource & ~Copyable>(
    limit: Int,
    on nextExecutor: () -> PollExecutor,
    _ body: @escaping @Sendable (consuming Stream) async -> Void,
    accept: (PollExecutor) async throws(Errno) -> Stream
) async throws(Errno) {
    precondition(limit > 0, "the limit of connections must be positive")
    let places = ConnectionPlaces(count: limit)
    let failure = await withDiscardingTaskGroup(returning: Errno.self) { group in
        while true {
            do throws(Errno) {
                try await places.reserve()
                let executor = nextExecutor()
                // A task's closure cannot consume a noncopyable value, but it can take an optional.
                var stream: Stream? = try await acceptPatiently(on: executor, accept)
                group.addTask(executorPreference: executor) {
                    if let stream = stream.take() { await body(stream) }
                    places.free()
                }
            } catch {
                return error
            }
        }
    }
    throw failure
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
