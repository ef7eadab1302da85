internal import Synchronization

/// What a worker has counted for one listener; a plain value in the worker's own hands.
struct ListenerTally: Sendable, Equatable {
    /// The sessions that have not ended.
    var active: UInt64 = 0
    var accepted: UInt64 = 0
    var rejected: UInt64 = 0
    /// The connections that access rules and PROXY headers turned away; not among `rejected`.
    var denied: UInt64 = 0
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
    /// How long those sessions lasted that have ended.
    var sessionTime = Histogram<SessionTime>()

    static func + (left: ListenerTally, right: ListenerTally) -> ListenerTally {
        ListenerTally(
            active: left.active + right.active,
            accepted: left.accepted + right.accepted,
            rejected: left.rejected + right.rejected,
            denied: left.denied + right.denied,
            bytesIn: left.bytesIn + right.bytesIn,
            bytesOut: left.bytesOut + right.bytesOut,
            sessionTime: left.sessionTime + right.sessionTime
        )
    }
}

/// Why a worker does not accept on a listener at present.
enum PauseReason: UInt8, Sendable {
    case none
    case listenerLimit
    case totalLimit
    case outOfResources
    case acceptRate

    /// What ends a pause.
    enum Wait {
        /// A session that ends.
        case forSessions
        /// Whatever ends, or a longer time.
        case forResources
        /// A time so short that it is no news.
        case forMoment
    }

    /// What ends it.
    var wait: Wait {
        switch self {
        case .none, .listenerLimit, .totalLimit: .forSessions
        case .outOfResources: .forResources
        case .acceptRate: .forMoment
        }
    }
}

/// A worker's tally of one listener, where other threads may read it.
///
/// The worker is the only writer, so plain stores do; it publishes at the end of a turn, and before
/// a session leaves its gates.
final class ListenerCounters: Sendable {
    private let active = Atomic<UInt64>(0)
    private let accepted = Atomic<UInt64>(0)
    private let rejected = Atomic<UInt64>(0)
    private let denied = Atomic<UInt64>(0)
    private let bytesIn = Atomic<UInt64>(0)
    private let bytesOut = Atomic<UInt64>(0)
    private let sessionTime = SharedHistogram<SessionTime>()
    private let pause = Atomic<UInt8>(0)

    /// Shows everything but ``ListenerTally/sessionTime``, which changes only when a session ends.
    // Inlined, so that its caller need not count a reference for it once a turn.
    @inline(__always)
    func publish(_ tally: ListenerTally) {
        active.store(tally.active, ordering: .relaxed)
        accepted.store(tally.accepted, ordering: .relaxed)
        rejected.store(tally.rejected, ordering: .relaxed)
        denied.store(tally.denied, ordering: .relaxed)
        bytesIn.store(tally.bytesIn, ordering: .relaxed)
        bytesOut.store(tally.bytesOut, ordering: .relaxed)
    }

    /// Shows how long sessions lasted.
    func publish(_ times: Histogram<SessionTime>) {
        sessionTime.publish(times)
    }

    /// What was published last.
    var tally: ListenerTally {
        ListenerTally(
            active: active.load(ordering: .relaxed),
            accepted: accepted.load(ordering: .relaxed),
            rejected: rejected.load(ordering: .relaxed),
            denied: denied.load(ordering: .relaxed),
            bytesIn: bytesIn.load(ordering: .relaxed),
            bytesOut: bytesOut.load(ordering: .relaxed),
            sessionTime: sessionTime.histogram
        )
    }

    /// Why the worker does not accept.
    var pauseReason: PauseReason {
        get { PauseReason(rawValue: pause.load(ordering: .relaxed)) ?? .none }
        set { pause.store(newValue.rawValue, ordering: .relaxed) }
    }
}

/// What a worker has done as a whole.
struct WorkerTally: Sendable, Equatable {
    var sessions: UInt64 = 0
    var polls: UInt64 = 0
    var events: UInt64 = 0
    var wakeUps: UInt64 = 0
    /// Nanoseconds that it did not wait.
    var busy: UInt64 = 0
}

/// A worker's own tally, where other threads may read it; published as ``ListenerCounters`` are.
final class WorkerCounters: Sendable {
    private let sessions = Atomic<UInt64>(0)
    private let polls = Atomic<UInt64>(0)
    private let events = Atomic<UInt64>(0)
    private let wakeUps = Atomic<UInt64>(0)
    private let busy = Atomic<UInt64>(0)

    func publish(_ tally: WorkerTally) {
        sessions.store(tally.sessions, ordering: .relaxed)
        polls.store(tally.polls, ordering: .relaxed)
        events.store(tally.events, ordering: .relaxed)
        wakeUps.store(tally.wakeUps, ordering: .relaxed)
        busy.store(tally.busy, ordering: .relaxed)
    }

    /// What was published last.
    var tally: WorkerTally {
        WorkerTally(
            sessions: sessions.load(ordering: .relaxed),
            polls: polls.load(ordering: .relaxed),
            events: events.load(ordering: .relaxed),
            wakeUps: wakeUps.load(ordering: .relaxed),
            busy: busy.load(ordering: .relaxed)
        )
    }
}
