internal import Synchronization

/// What a worker has counted for one listener; a plain value in the worker's own hands.
package struct ListenerTally: Sendable, Equatable {
    /// The sessions that have not ended.
    package var active: UInt64 = 0
    package var accepted: UInt64 = 0
    package var rejected: UInt64 = 0
    /// The connections that access rules and PROXY headers turned away; not among `rejected`.
    package var denied: UInt64 = 0
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    /// How long those sessions lasted that have ended.
    package var sessionTime = Histogram<SessionTime>()

    package init(
        active: UInt64 = 0,
        accepted: UInt64 = 0,
        rejected: UInt64 = 0,
        denied: UInt64 = 0,
        bytesIn: UInt64 = 0,
        bytesOut: UInt64 = 0,
        sessionTime: Histogram<SessionTime> = Histogram<SessionTime>()
    ) {
        self.active = active
        self.accepted = accepted
        self.rejected = rejected
        self.denied = denied
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.sessionTime = sessionTime
    }

    package static func + (left: ListenerTally, right: ListenerTally) -> ListenerTally {
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
package enum PauseReason: UInt8, Sendable {
    case none
    case listenerLimit
    case totalLimit
    case outOfResources
    case acceptRate

    /// What ends a pause.
    package enum Wait {
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
/// a session leaves its limiters.
package final class ListenerCounters: Sendable {
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
    package var pauseReason: PauseReason {
        get { PauseReason(rawValue: pause.load(ordering: .relaxed)) ?? .none }
        set { pause.store(newValue.rawValue, ordering: .relaxed) }
    }
}

/// What a worker has done as a whole.
package struct WorkerTally: Sendable, Equatable {
    package var sessions: UInt64 = 0
    package var polls: UInt64 = 0
    package var events: UInt64 = 0
    package var wakeUps: UInt64 = 0
    /// Nanoseconds that it did not wait.
    package var busy: UInt64 = 0

    package init(
        sessions: UInt64 = 0,
        polls: UInt64 = 0,
        events: UInt64 = 0,
        wakeUps: UInt64 = 0,
        busy: UInt64 = 0
    ) {
        self.sessions = sessions
        self.polls = polls
        self.events = events
        self.wakeUps = wakeUps
        self.busy = busy
    }
}

/// A worker's own tally, where other threads may read it; published as ``ListenerCounters`` are.
package final class WorkerCounters: Sendable {
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
    package var tally: WorkerTally {
        WorkerTally(
            sessions: sessions.load(ordering: .relaxed),
            polls: polls.load(ordering: .relaxed),
            events: events.load(ordering: .relaxed),
            wakeUps: wakeUps.load(ordering: .relaxed),
            busy: busy.load(ordering: .relaxed)
        )
    }
}
