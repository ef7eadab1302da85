#if OSPoll && OSExt && Net
import Synchronization
import Verypoll

/// The state that all threads share.
final class Control: Sendable {
    private struct State {
        var isStopping = false
        var workerCount = 0
        var wakers: [Waker] = []
    }

    private let state = Mutex(State())
    private let main: Waker

    /// Creates the state, with the waker of the main thread.
    init(main: Waker) {
        self.main = main
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Whether all workers have ended.
    var isDone: Bool { state.withLock { $0.isStopping && $0.workerCount == 0 } }

    func workerStarts() {
        state.withLock { $0.workerCount += 1 }
    }

    /// Holds the waker of a worker, which then checks `isStopping` before its first poll.
    func add(_ waker: Waker) {
        state.withLock { $0.wakers.append(waker) }
    }

    func workerEnds() {
        state.withLock { $0.workerCount -= 1 }
        try? main.wake()
    }

    /// Tells all workers to stop.
    func stop() {
        let wakers = state.withLock { state in
            state.isStopping = true
            return state.wakers
        }
        for waker in wakers { try? waker.wake() }
    }
}
#endif
