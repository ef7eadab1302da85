// How connections are spread over the workers, and why no connection waits for that.
//
// Each worker registers each listening socket, level-triggered and exclusively (EPOLLEXCLUSIVE).
// The kernel then wakes one worker per connection: of the workers that are waiting in epoll_wait,
// the first one in the socket's queue. A worker that is busy is not waiting, so another one gets
// the connection. By itself, this gives all sessions of a quiet daemon to the worker that has
// registered first. Two rules keep the shares even:
//
// - A worker that has accepted `acceptsPerTenure` connections, or has clearly more sessions than
//   the average, registers again, which moves it to the end of the queue.
// - A worker that has more sessions than the average accepts one connection a turn. Other workers
//   accept as many as `AcceptQuota` says, so they catch up under load.
//
// No rule makes a worker stop watching a socket for the sake of the others. The others may be busy,
// or have no processor, and then the connection would wait for nothing. A worker stops watching
// only for the reasons of `PauseReason`: a limit is reached, resources are lacking, or the accept
// rate is.

/// A socket that a worker accepts from, and whether it does so at present.
struct Acceptor {
    var listener: Int
    /// `nil` once it is closed, until another takes its place.
    var socket: ListeningSocket?
    /// The reason that it is not watched, or `none` if it is.
    var pauseReason = PauseReason.none
    /// How many milliseconds the next pause for want of resources lasts.
    var backOff = Self.backOffs.lowerBound
    /// The millisecond of its last line in the log, so that these are few.
    var loggedAt: UInt64?
    /// The connections that were taken since it was last put behind the other workers.
    var taken = 0
    var quota = AcceptQuota()

    /// The shortest and the longest pause for want of resources, in milliseconds.
    static let backOffs: ClosedRange<UInt64> = 100...3_200

    init(listener: Int, socket: ListeningSocket) {
        self.listener = listener
        self.socket = socket
    }
}

/// The acceptors of a worker, and when those that are paused may go on.
struct AcceptorList {
    /// By the index in their tokens.
    var acceptors: [Acceptor] = []
    /// The millisecond when acceptors that paused for resources are tried again, `UInt64.max` for
    /// never.
    private(set) var retryAt = UInt64.max
    /// The millisecond when acceptors that wait for their accept rate go on, `UInt64.max` for
    /// never.
    private(set) var resumeAt = UInt64.max

    /// The socket at an index; `nil` if it was closed since the event came.
    func socket(at index: Int) -> ListeningSocket? {
        acceptors.indices.contains(index) ? acceptors[index].socket : nil
    }

    /// The index of an acceptor by its socket.
    func index(of socket: ListeningSocket) -> Int? {
        acceptors.firstIndex { $0.socket === socket }
    }

    /// Adds an acceptor, in a place that is free.
    ///
    /// - Returns: Its index.
    mutating func add(_ acceptor: Acceptor) -> Int {
        guard let index = acceptors.firstIndex(where: { $0.socket == nil }) else {
            acceptors.append(acceptor)
            return acceptors.endIndex - 1
        }
        acceptors[index] = acceptor
        return index
    }

    /// The reason that people see for a listener: the first of its acceptors that is paused.
    func shownReason(of listener: Int) -> PauseReason {
        let paused = acceptors.first { $0.listener == listener && $0.pauseReason != .none }
        return paused?.pauseReason ?? .none
    }

    // MARK: Pauses

    /// Tries an acceptor again once its back-off has passed.
    mutating func retry(_ index: Int, now: UInt64) {
        retryAt = min(retryAt, now + acceptors[index].backOff)
    }

    /// Makes the next pause for resources longer.
    mutating func lengthenBackOff(of index: Int) {
        acceptors[index].backOff = min(2 * acceptors[index].backOff, Acceptor.backOffs.upperBound)
    }

    /// Tries acceptors again in this turn that paused for resources, as some have become free.
    mutating func retryNow(now: UInt64) {
        if retryAt != .max { retryAt = now }
    }

    /// Lets acceptors go on at a nanosecond at which the accept rate allows for a connection.
    mutating func resume(atNanosecond nanosecond: UInt64) {
        resumeAt = min(resumeAt, nanosecond / 1_000_000 + 1)
    }

    /// The indices of the acceptors that are paused for reasons of a kind, which are to be watched
    /// again now.
    mutating func takePaused(_ wait: PauseReason.Wait) -> [Int] {
        if wait == .forResources { retryAt = .max }
        if wait == .forMoment { resumeAt = .max }
        return acceptors.indices.filter { index in
            let reason = acceptors[index].pauseReason
            return reason != .none && reason.wait == wait && acceptors[index].socket != nil
        }
    }
}
