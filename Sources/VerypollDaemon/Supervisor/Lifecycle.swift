/// The phase of the daemon, and the progress of the workers in it.
///
/// This is a value without I/O. The supervisor performs the returned steps.
struct Lifecycle {
    /// A phase of the daemon.
    enum Phase: Equatable {
        case starting
        case running
        /// Sessions may end by themselves until the given time.
        case draining(until: ContinuousClock.Instant)
        /// All sessions are being closed or packed, until the given time at the latest.
        case stopping(until: ContinuousClock.Instant)
    }

    /// The step to perform next.
    enum Step: Equatable {
        /// Wait for the other workers.
        case wait
        /// All workers are prepared: let them begin.
        case begin
        /// All workers accept: the daemon is ready.
        case becomeReady
        /// No session is left: stop.
        case stop
        /// All workers have ended.
        case end
    }

    private(set) var phase = Phase.starting
    private let workers: Int
    private var isBegun = false
    /// The number of workers that have done what the phase waits for.
    private var doneCount = 0

    /// Creates the lifecycle of a daemon with this many workers.
    init(workers: Int) {
        self.workers = workers
    }

    /// Whether the daemon is in normal operation.
    var isRunning: Bool { phase == .running }

    /// The time at which the phase ends at the latest; `nil` if it has no limit.
    var deadline: ContinuousClock.Instant? {
        switch phase {
        case .starting, .running: nil
        case .draining(let end), .stopping(let end): end
        }
    }

    /// Notes that a worker is prepared.
    mutating func notePrepared() -> Step {
        // Otherwise a signal has already begun the stop.
        guard phase == .starting, !isBegun else { return .wait }
        return count(.begin)
    }

    /// Notes that the workers were told to begin.
    mutating func begin() {
        isBegun = true
        doneCount = 0
    }

    /// Notes that a worker accepts.
    mutating func noteStarted() -> Step {
        guard phase == .starting, isBegun else { return .wait }
        return count(.becomeReady)
    }

    /// Notes that the daemon is ready.
    mutating func becomeReady() { enter(.running) }

    /// Notes that the daemon drains until `end`.
    mutating func drain(until end: ContinuousClock.Instant) { enter(.draining(until: end)) }

    /// Notes that a worker has no session left.
    mutating func noteEmpty() -> Step {
        // The report may arrive late, after the stop has begun.
        guard case .draining = phase else { return .wait }
        return count(.stop)
    }

    /// Notes that all sessions are being closed or packed, until `end` at the latest.
    mutating func stop(until end: ContinuousClock.Instant) { enter(.stopping(until: end)) }

    /// Notes that a worker has ended.
    mutating func noteEnded() -> Step {
        guard case .stopping = phase else { return .wait }
        return count(.end)
    }

    /// Whether all workers have ended.
    var isOver: Bool {
        guard case .stopping = phase else { return false }
        return doneCount == workers
    }

    private mutating func enter(_ phase: Phase) {
        self.phase = phase
        doneCount = 0
    }

    private mutating func count(_ step: Step) -> Step {
        doneCount += 1
        return doneCount == workers ? step : .wait
    }
}
