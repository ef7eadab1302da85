internal import Logging
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollServer

/// What the supervisor knows of the process before and of the next one.
struct RestartState {
    /// How long a word that the coming stop is for a restart holds.
    private static let announcementLife = Duration.seconds(30)

    /// What this process leaves to the next.
    let handoffStore: HandoffStore
    /// Whether sessions are kept, if there is a next process.
    var keepsSessions: Bool
    private var announcedAt: ContinuousClock.Instant?
    /// The sessions of the process before; none of them is left here once workers have them.
    private(set) var restoredSessions: RestoredSessions
    /// The listening sockets on their way to this process, until it has begun.
    private(set) var exchange: SocketExchange?
    /// What became of the sessions of the process before, as far as the workers have told.
    var restoreOutcome: RestoreOutcome
    /// The sessions of this process on their way to the next.
    var handoff = Handoff()
    /// How many listening sockets are.
    private(set) var socketCount = 0

    init(
        _ handoffStore: HandoffStore,
        _ restoredSessions: RestoredSessions,
        _ exchange: SocketExchange,
        keepsSessions: Bool
    ) {
        self.handoffStore = handoffStore
        self.restoredSessions = restoredSessions
        self.exchange = exchange
        self.keepsSessions = keepsSessions
        restoreOutcome = restoredSessions.outcome
    }

    /// Makes what the process before has left that of this one.
    mutating func claim() {
        handoffStore.hasBegun = true
        restoredSessions.claim(handoffStore)
    }

    /// Closes what no listener has claimed.
    mutating func releaseRest() {
        exchange?.releaseRest()
        exchange = nil
    }

    /// Ends what the process before has left, as this one ends for good before it has begun.
    mutating func abandon() {
        guard !handoffStore.hasBegun else { return }
        handoffStore.hasBegun = true
        restoredSessions.breakOff(handoffStore)
        releaseRest()
    }

    /// Notes that the coming stop is for a restart.
    mutating func announce(now: ContinuousClock.Instant = .now) { announcedAt = now }

    /// Decides, once a stop has come, whether it is for a restart.
    mutating func decide(now: ContinuousClock.Instant = .now) {
        guard let announcedAt, now - announcedAt < Self.announcementLife else { return }
        handoffStore.isForRestart = handoffStore.store.capacity > 0
        socketCount = handoffStore.socketCount
    }

    /// Whether the sessions go to the next process.
    var handsOff: Bool { keepsSessions && handoffStore.isForRestart }

    /// How many descriptors the store can take besides the listening sockets.
    var room: Int { max(0, handoffStore.store.capacity - socketCount) }

    /// Whether so many sessions of each worker find room in the store.
    func fits(_ sessionCounts: [Int]) -> Bool {
        let limit = SessionFile.sessionLimit
        let needed = sessionCounts.reduce(0) { $0 + ($1 + limit - 1) / limit }
        return needed <= room
    }
}

extension Supervisor {
    /// Says once what was taken over from the process before, and what was not.
    func reportTakingOver() {
        let sockets = restart.handoffStore.inheritedCount
        let outcome = restart.restoreOutcome
        guard sockets > 0 || !outcome.isEmpty else { return }
        let refused = outcome.refusedCount
        let reasons = Refusal.allCases.compactMap { refusal in
            outcome.refusals[refusal].map { "\($0) as \(refusal.rawValue)" }
        }
        var rest = ""
        if refused > 0 {
            rest = "; not \(refused): " + reasons.joined(separator: ", ")
            rest += "; " + outcome.lostSessions()
        }
        logger.log(
            level: refused == 0 ? .notice : .warning,
            refused == 0 ? .takenOver : .takeOverIncomplete,
            """
            taken over from the process before: \(count(sockets, "socket")), \
            \(count(outcome.restoredCount, "session"))\(rest)
            """,
            metadata: ["sessions": "\(outcome.restoredCount)", "refused": "\(refused)"]
        )
    }

    /// Whether a stop has to wait with handing the sessions over until they are fewer.
    var awaitsRoom: Bool {
        restart.handsOff && !restart.fits(workers.counters.map { Int($0.tally.sessions) })
    }

    /// Says what was left to the next process, after the last worker has ended.
    ///
    /// Of the sessions that find no room, the busiest are closed: a bundle of each worker's
    /// quietest goes before any with busier ones.
    func leaveToSuccessor() {
        guard restart.handoffStore.isForRestart else { return }
        // All is packed, so that the ledger's place is free for the last bundle.
        let leftCount = storeWaiting()
        endLedger()
        // What the manager has not read yet would be lost with this process.
        restart.handoffStore.settle()
        let other = restart.handoff.closedCount
        let lost = other + leftCount
        let reasons = "; closed: \(leftCount) for want of room, \(other) that can't be kept"
        let storedCount = restart.handoff.storedSessions
        logger.log(
            level: leftCount == 0 ? .notice : .warning,
            .handedOff,
            """
            left to the next process: \(count(restart.socketCount, "socket")), \
            \(count(storedCount, "session"))\(lost == 0 ? "" : reasons)
            """,
            metadata: ["sessions": "\(storedCount)", "refused": "\(lost)"]
        )
    }

    private func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
