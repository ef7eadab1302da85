// How connections are distributed to the workers without delaying any of them.
//
// Each worker registers each listening socket, level-triggered and exclusively (EPOLLEXCLUSIVE).
// For each connection, the kernel wakes one of the workers that wait in epoll_wait: the first one
// in the socket's queue. A busy worker is not waiting, so another one gets the connection. Without
// further rules, the worker that registered first would get all sessions of a quiet daemon. Two
// rules keep the shares even:
//
// - A worker that has accepted `acceptsPerTenure` connections, or has clearly more sessions than
//   the average, registers again, which moves it to the end of the queue.
// - A worker that has more sessions than the average accepts one connection per turn. Other workers
//   accept as many as `AcceptQuota` allows, so they catch up under load.
//
// No rule makes a worker stop watching a socket so that other workers get its connections. The
// others may be busy or may not be scheduled, and the connection would wait while this worker is
// idle. A worker stops watching only for the reasons in `PauseReason`: a limit is reached,
// resources are exhausted, or the accept rate is used up.

/// A socket that a worker accepts from, and whether the worker watches it at present.
struct Acceptor {
    /// The slot of the listener.
    var listener: Int
    /// `nil` once the socket is closed, until another acceptor uses the place.
    var socket: ListeningSocket?
    /// The reason that the socket is not watched; `none` if it is watched.
    var pauseReason = PauseReason.none
    /// The length of the next pause for lack of resources, in milliseconds.
    var backOff = Self.backOffs.lowerBound
    var pauseLog = PauseLog()
    /// The connections accepted since the worker last moved to the end of the kernel's queue.
    var taken = 0
    var quota = AcceptQuota()

    /// The shortest and the longest pause for lack of resources, in milliseconds.
    static let backOffs: ClosedRange<UInt64> = 100...3_200

    init(listener: Int, socket: ListeningSocket) {
        self.listener = listener
        self.socket = socket
    }
}

/// A worker's acceptors, the changes to them that are not made yet, and the times at which paused
/// ones are watched again.
struct AcceptorList {
    /// The next change that makes the acceptors those of a snapshot.
    enum Change {
        case close(Int)
        case open(WorkerSnapshot.Acceptor)
    }

    /// The acceptors, by the index in their tokens.
    var acceptors: [Acceptor] = []
    /// The indices that no acceptor has.
    private var freeIndices: [Int] = []
    /// The changes to make, the next one last.
    private var changes: [Change] = []
    /// The reports to send once all changes are made.
    private var reports: [WorkerReport] = []
    /// The millisecond at which acceptors paused for lack of resources are tried again;
    /// `UInt64.max` for never.
    private(set) var retryAt = UInt64.max
    /// The millisecond at which acceptors paused for the accept rate continue; `UInt64.max` for
    /// never.
    private(set) var resumeAt = UInt64.max
    /// The millisecond at which ``takePauses(now:)`` must be called; `UInt64.max` for never.
    private(set) var pauseLogDueAt = UInt64.max

    /// Returns the socket at an index; `nil` if it was closed after the event was reported.
    func socket(at index: Int) -> ListeningSocket? {
        acceptors.indices.contains(index) ? acceptors[index].socket : nil
    }

    /// Adds an acceptor at a free index.
    ///
    /// - Returns: The index.
    mutating func add(_ acceptor: Acceptor) -> Int {
        guard let index = freeIndices.popLast() else {
            acceptors.append(acceptor)
            return acceptors.endIndex - 1
        }
        acceptors[index] = acceptor
        return index
    }

    /// Releases the socket of an acceptor, whose index is then free.
    mutating func remove(at index: Int) {
        acceptors[index].socket = nil
        freeIndices.append(index)
    }

    /// Removes all acceptors.
    ///
    /// - Returns: The reports of the changes that are no longer made.
    mutating func removeAll() -> [WorkerReport] {
        acceptors = []
        freeIndices = []
        changes = []
        return takeReports()
    }

    // MARK: Changes

    /// Whether changes are left to make.
    var isChanging: Bool { !changes.isEmpty }

    /// Plans the changes that make the acceptors those of a snapshot, instead of the changes that
    /// are left from an earlier one.
    ///
    /// Kept acceptors get their new listeners at once.
    ///
    /// - Parameters:
    ///   - wanted: The acceptors of the snapshot.
    ///   - report: The report to send once all changes are made.
    mutating func change(to wanted: [WorkerSnapshot.Acceptor], report: WorkerReport) {
        var missing = Dictionary(
            wanted.map { (ObjectIdentifier($0.socket), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var closing: [Change] = []
        for index in acceptors.indices {
            guard let socket = acceptors[index].socket else { continue }
            if let acceptor = missing.removeValue(forKey: ObjectIdentifier(socket)) {
                acceptors[index].listener = acceptor.listener
            } else {
                closing.append(.close(index))
            }
        }
        let opening = wanted.compactMap { acceptor in
            missing.removeValue(forKey: ObjectIdentifier(acceptor.socket)).map(Change.open)
        }
        changes = (closing + opening).reversed()
        reports.append(report)
    }

    /// Takes the next change, which the caller must make.
    mutating func nextChange() -> Change? { changes.popLast() }

    /// Takes the reports to send now that all changes are made.
    mutating func takeReports() -> [WorkerReport] {
        defer { reports = [] }
        return reports
    }

    // MARK: Reasons

    /// The pause reasons to report, by the slots of the listeners that have acceptors.
    var shownReasons: [Int: PauseReason] {
        var reasons: [Int: PauseReason] = [:]
        for acceptor in acceptors where acceptor.socket != nil {
            if reasons[acceptor.listener, default: .none] == .none {
                reasons[acceptor.listener] = acceptor.pauseReason
            }
        }
        return reasons
    }

    /// Returns the pause reason to report for a listener: that of the first paused acceptor.
    func shownReason(of listener: Int) -> PauseReason {
        let paused = acceptors.first { $0.listener == listener && $0.pauseReason != .none }
        return paused?.pauseReason ?? .none
    }

    // MARK: Pauses

    /// Tries an acceptor again after its back-off time.
    mutating func retry(_ index: Int, now: UInt64) {
        retryAt = min(retryAt, now + acceptors[index].backOff)
    }

    /// Doubles the next pause for lack of resources, up to the longest one.
    mutating func lengthenBackOff(of index: Int) {
        acceptors[index].backOff = min(2 * acceptors[index].backOff, Acceptor.backOffs.upperBound)
    }

    /// Tries acceptors paused for lack of resources again in this turn, because a session has freed
    /// some.
    mutating func retryNow(now: UInt64) {
        if retryAt != .max { retryAt = now }
    }

    /// Lets acceptors continue at the nanosecond at which the accept rate allows a connection.
    mutating func resume(atNanosecond nanosecond: UInt64) {
        resumeAt = min(resumeAt, nanosecond / 1_000_000 + 1)
    }

    /// Notes for the log that an acceptor accepts again.
    mutating func noteResumed(_ index: Int, now: UInt64) {
        acceptors[index].pauseLog.end(now: now)
        pauseLogDueAt = min(pauseLogDueAt, acceptors[index].pauseLog.dueAt)
    }

    /// Returns the pauses whose end is to be logged now, with the indices of their acceptors.
    mutating func takePauses(now: UInt64) -> [(index: Int, pause: PauseLog.Pause)] {
        var pauses: [(index: Int, pause: PauseLog.Pause)] = []
        pauseLogDueAt = .max
        for index in acceptors.indices where acceptors[index].socket != nil {
            if let pause = acceptors[index].pauseLog.takeEnd(now: now) {
                pauses.append((index, pause))
            }
            pauseLogDueAt = min(pauseLogDueAt, acceptors[index].pauseLog.dueAt)
        }
        return pauses
    }

    /// Returns the indices of the acceptors that wait for this event; the caller must watch them
    /// again.
    mutating func takePaused(_ wait: PauseReason.Wait) -> [Int] {
        if wait == .forResources { retryAt = .max }
        if wait == .forMoment { resumeAt = .max }
        return acceptors.indices.filter { index in
            let reason = acceptors[index].pauseReason
            return reason != .none && reason.wait == wait && acceptors[index].socket != nil
        }
    }
}
