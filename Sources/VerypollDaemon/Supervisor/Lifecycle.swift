/// The phases of the daemon's life, and how far the workers are in the present one.
///
/// A value without I/O: the supervisor does what the returned steps say.
struct Lifecycle {
    /// A phase.
    enum Phase: Equatable {
        case starting
        case running
        /// Sessions may end by themselves until then.
        case draining(until: ContinuousClock.Instant)
        /// All are being closed, which takes no longer than until then.
        case stopping(until: ContinuousClock.Instant)
    }

    /// What is to be done next.
    enum Step: Equatable {
        /// Nothing, but wait for the other workers.
        case wait
        /// All workers are prepared: have them begin.
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
    /// The workers that have done what the phase waits for.
    private var doneCount = 0

    /// Makes the life of a daemon with so many workers.
    init(workers: Int) {
        self.workers = workers
    }

    /// Whether the daemon serves.
    var isRunning: Bool { phase == .running }

    /// When the phase is over in any case.
    var deadline: ContinuousClock.Instant? {
        switch phase {
        case .starting, .running: nil
        case .draining(let end), .stopping(let end): end
        }
    }

    /// Notes that a worker has everything that it needs.
    mutating func notePrepared() -> Step {
        // Otherwise a signal came first.
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

    /// Notes that sessions may end by themselves until a moment.
    mutating func drain(until end: ContinuousClock.Instant) { enter(.draining(until: end)) }

    /// Notes that a worker has no session left.
    mutating func noteEmpty() -> Step {
        // It may come late, when the stop has begun.
        guard case .draining = phase else { return .wait }
        return count(.stop)
    }

    /// Notes that all sessions are being closed.
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
