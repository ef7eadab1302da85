internal import Synchronization
package import Verypoll

/// A worker's counts for one listener; a plain value that only the worker's thread uses.
package struct ListenerTally: Sendable, Equatable {
    /// The number of live sessions.
    package var active: UInt64 = 0
    package var accepted: UInt64 = 0
    package var rejected: UInt64 = 0
    /// The connections refused by access rules, by the limit per source or for their PROXY header;
    /// they are not counted in `rejected`.
    package var denied: UInt64 = 0
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    /// The durations of the sessions that have ended.
    package var sessionTime = Histogram<SessionTime>()
    /// The sessions that have ended, by reason.
    package var ends = KindCounts<SessionEndCode>()
    /// The clients in ``rejected`` and ``denied``, by cause.
    package var refusals = KindCounts<RefusalCause>()

    package init(
        active: UInt64 = 0,
        accepted: UInt64 = 0,
        rejected: UInt64 = 0,
        denied: UInt64 = 0,
        bytesIn: UInt64 = 0,
        bytesOut: UInt64 = 0,
        sessionTime: Histogram<SessionTime> = Histogram<SessionTime>(),
        ends: KindCounts<SessionEndCode> = KindCounts(),
        refusals: KindCounts<RefusalCause> = KindCounts()
    ) {
        self.active = active
        self.accepted = accepted
        self.rejected = rejected
        self.denied = denied
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.sessionTime = sessionTime
        self.ends = ends
        self.refusals = refusals
    }

    /// Counts a client that is refused.
    mutating func refuse(because cause: RefusalCause) {
        refusals[cause] += 1
        if cause.isDenial { denied += 1 } else { rejected += 1 }
    }

    package static func + (left: ListenerTally, right: ListenerTally) -> ListenerTally {
        ListenerTally(
            active: left.active + right.active,
            accepted: left.accepted + right.accepted,
            rejected: left.rejected + right.rejected,
            denied: left.denied + right.denied,
            bytesIn: left.bytesIn + right.bytesIn,
            bytesOut: left.bytesOut + right.bytesOut,
            sessionTime: left.sessionTime + right.sessionTime,
            ends: left.ends + right.ends,
            refusals: left.refusals + right.refusals
        )
    }
}

/// The reason that a worker does not accept on a listener at present.
package enum PauseReason: UInt8, Sendable {
    case none
    case listenerLimit
    case totalLimit
    case outOfResources
    case acceptRate

    /// The event that ends a pause.
    package enum Wait {
        /// A session ends, or a limit is raised.
        case forSessions
        /// A session ends and frees its resources, or the back-off time passes.
        case forResources
        /// The accept rate allows the next connection. This pause is too short to be logged.
        case forMoment
    }

    /// The event that ends a pause for this reason.
    var wait: Wait {
        switch self {
        case .none, .listenerLimit, .totalLimit: .forSessions
        case .outOfResources: .forResources
        case .acceptRate: .forMoment
        }
    }
}

/// A worker's counts for one listener, for other threads to read.
///
/// Only the worker writes them, so it uses plain atomic stores. It publishes its tally at the end
/// of each turn, and at the end of a session before it releases the session's places in the
/// limiters.
package final class ListenerCounters: Sendable {
    private let active = Atomic<UInt64>(0)
    private let accepted = Atomic<UInt64>(0)
    private let rejected = Atomic<UInt64>(0)
    private let denied = Atomic<UInt64>(0)
    private let bytesIn = Atomic<UInt64>(0)
    private let bytesOut = Atomic<UInt64>(0)
    private let sessionTime = SharedHistogram<SessionTime>()
    private let ends = SharedKindCounts<SessionEndCode>()
    private let refusals = SharedKindCounts<RefusalCause>()
    /// The address of the last client that was refused for each cause; empty before the first.
    private let refusedPeers = Mutex<[SocketAddress?]>([])
    private let pause = Atomic<UInt8>(0)

    /// Publishes everything except the numbers that change only when a session ends or a client is
    /// refused.
    // Inlined, so that the caller does not retain and release this object in each turn.
    @inline(__always)
    func publish(_ tally: ListenerTally) {
        active.store(tally.active, ordering: .relaxed)
        accepted.store(tally.accepted, ordering: .relaxed)
        rejected.store(tally.rejected, ordering: .relaxed)
        denied.store(tally.denied, ordering: .relaxed)
        bytesIn.store(tally.bytesIn, ordering: .relaxed)
        bytesOut.store(tally.bytesOut, ordering: .relaxed)
    }

    /// Publishes the durations of the ended sessions, and how many have ended for this reason.
    func publish(_ tally: ListenerTally, afterEnd code: SessionEndCode) {
        sessionTime.publish(tally.sessionTime)
        ends.publish(tally.ends[code], of: code)
    }

    /// Publishes how many clients were refused for this cause, the last of them at `peer`.
    func publish(
        _ tally: ListenerTally,
        afterRefusal cause: RefusalCause,
        of peer: SocketAddress?
    ) {
        refusals.publish(tally.refusals[cause], of: cause)
        refusedPeers.withLock { peers in
            if peers.isEmpty { peers = Array(repeating: nil, count: RefusalCause.allCases.count) }
            peers[Int(cause.rawValue)] = peer
        }
    }

    /// Returns the address of the last client that was refused for a cause; `nil` if none is known.
    package func lastRefused(because cause: RefusalCause) -> SocketAddress? {
        refusedPeers.withLock { $0.isEmpty ? nil : $0[Int(cause.rawValue)] }
    }

    /// The values that were published last.
    var tally: ListenerTally {
        ListenerTally(
            active: active.load(ordering: .relaxed),
            accepted: accepted.load(ordering: .relaxed),
            rejected: rejected.load(ordering: .relaxed),
            denied: denied.load(ordering: .relaxed),
            bytesIn: bytesIn.load(ordering: .relaxed),
            bytesOut: bytesOut.load(ordering: .relaxed),
            sessionTime: sessionTime.histogram,
            ends: ends.values,
            refusals: refusals.values
        )
    }

    /// The reason that the worker does not accept on the listener.
    package var pauseReason: PauseReason {
        get { PauseReason(rawValue: pause.load(ordering: .relaxed)) ?? .none }
        set { pause.store(newValue.rawValue, ordering: .relaxed) }
    }
}

/// The counts of a worker that belong to no listener.
package struct WorkerTally: Sendable, Equatable {
    package var sessions: UInt64 = 0
    package var polls: UInt64 = 0
    package var events: UInt64 = 0
    package var wakeUps: UInt64 = 0
    /// The nanoseconds that the worker has spent outside of poll.
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

/// The counts of ``WorkerTally``, for other threads to read; published as in ``ListenerCounters``.
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

    /// The values that were published last.
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
