// A restart that keeps sockets and sessions.
//
// Listening sockets are in systemd's descriptor store as soon as they listen. When the daemon stops
// for a restart, each worker packs its sessions into bundles, quietest sessions first. Each bundle
// is stored when it is packed, or at the end if quieter sessions may need its room. A ledger is
// stored before the first bundle: from it, the next process learns which sessions are missing if
// this one crashes in between. The next process receives everything, and reads it without removing
// anything from the store. It claims what it received only when nothing else can prevent its start.
// So a failed start loses nothing.
internal import Logging
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollServer

/// The sockets and sessions received from the previous process, and those for the next one.
struct Handoff {
    /// The time for which the announcement of a restart is valid.
    private static let announcementLife = Duration.seconds(30)

    /// The store that outlives this process.
    let store: HandoffStore
    private let logger: Logger
    /// Whether sessions are kept at a restart.
    var keepsSessions: Bool
    private var announcedAt: ContinuousClock.Instant?
    /// The sessions of the previous process, of which each worker gets its share.
    private(set) var restoredSessions: RestoredSessions
    /// The exchange of the listening sockets, until this process has taken over.
    private(set) var exchange: SocketExchange?
    /// The outcome of restoring the sessions, as far as the workers have reported it.
    private var outcome: RestoreOutcome
    /// The progress of storing this process's sessions.
    private var progress = HandoffProgress()
    /// The number of listening sockets that go to the next process.
    private var socketCount = 0

    init(
        _ store: HandoffStore,
        _ restoredSessions: RestoredSessions,
        _ exchange: SocketExchange,
        keepsSessions: Bool,
        logger: Logger
    ) {
        self.store = store
        self.restoredSessions = restoredSessions
        self.exchange = exchange
        self.keepsSessions = keepsSessions
        self.logger = logger
        outcome = restoredSessions.outcome
    }

    // MARK: From the previous process

    /// Claims everything that the previous process stored.
    ///
    /// - Throws: `ListenerError` if a socket cannot listen. In that case, nothing has changed, and
    ///   the next process receives the same.
    mutating func claim() throws(ListenerError) {
        try exchange?.commit()
        store.hasBegun = true
        restoredSessions.claim(store)
    }

    /// Closes the sockets that no listener has claimed.
    mutating func releaseRest() {
        exchange?.releaseRest()
        exchange = nil
    }

    /// Drops everything that the previous process stored, if this one has not taken over yet and
    /// stops without a restart.
    mutating func abandon() {
        guard !store.hasBegun else { return }
        store.hasBegun = true
        restoredSessions.breakOff(store)
        releaseRest()
    }

    /// Notes the outcome of one worker's share.
    mutating func note(_ other: RestoreOutcome) { outcome.add(other) }

    /// Logs the sockets and sessions that were restored, and why others were not.
    func reportRestored() {
        let sockets = store.inheritedCount
        guard sockets > 0 || !outcome.isEmpty else { return }
        let refused = outcome.refusedCount
        let reasons = Refusal.allCases.compactMap { refusal in
            outcome.refusals[refusal].map { "\(refusal.rawValue) (\($0))" }
        }
        var rest = ""
        if refused > 0 {
            rest = "; \(outcome.lostSessions()); reasons: " + reasons.joined(separator: ", ")
        }
        logger.log(
            level: refused == 0 ? .notice : .warning,
            refused == 0 ? .takenOver : .takeOverIncomplete,
            """
            restored \(count(sockets, "socket")) and \
            \(count(outcome.restoredCount, "session"))\(rest)
            """,
            metadata: ["sessions": .number(outcome.restoredCount), "refused": .number(refused)]
        )
    }

    // MARK: To the next process

    /// Notes that the next stop is for a restart.
    mutating func announce(now: ContinuousClock.Instant = .now) { announcedAt = now }

    /// Decides whether the stop that has begun is for a restart.
    mutating func decide(now: ContinuousClock.Instant = .now) {
        guard let announcedAt, now - announcedAt < Self.announcementLife else { return }
        store.isForRestart = store.store.capacity > 0
        socketCount = store.socketCount
    }

    /// Whether the sessions go to the next process.
    var handsOff: Bool { keepsSessions && store.isForRestart }

    /// The number of descriptors that fit the store besides the listening sockets.
    private var room: Int { max(0, store.store.capacity - socketCount) }

    /// Returns whether a stop must wait until there are fewer sessions, so that all fit the store.
    func awaitsRoom(for sessionCounts: [Int]) -> Bool {
        let limit = SessionFile.sessionLimit
        let needed = sessionCounts.reduce(0) { $0 + ($1 + limit - 1) / limit }
        return handsOff && needed > room
    }

    /// Stores the ledger, before any session is packed.
    mutating func begin(_ sessionCounts: [Int]) {
        let bundleCount = progress.plan(sessionCounts, room: room)
        // If room is short, sessions take precedence over the ledger. A bundle may still have to be
        // split.
        guard bundleCount > 0, bundleCount < room else { return }
        do throws(Errno) {
            let ledger = try HandoffLedgerFile(sessionCounts: sessionCounts)
            let name = HandoffStore.ledgerName
            guard store.store(ledger.file.fileDescriptor, named: name) else { return }
            progress.ledger = ledger
        } catch {
            logger.warning("cannot write the handoff ledger: \(error)")
        }
    }

    /// Adds the IDs of the sessions that a worker is about to pack to the ledger.
    func noteSessions(_ ids: [UInt64], of worker: Int) {
        guard let ledger = progress.ledger else { return }
        do throws(Errno) {
            try SealedFile.append(HandoffLedger.entry(of: worker, ids: ids), to: ledger.file)
        } catch {
            logger.warning("cannot write the handoff ledger: \(error)")
        }
    }

    /// Stores a bundle at once, unless quieter sessions may need the room.
    mutating func add(_ bundle: SessionBundle) {
        // The ledger also needs room until the last bundle is stored.
        let room = room - (progress.ledger == nil ? 0 : 1)
        let isCertain = bundle.rank < progress.certainRanks
        if isCertain, progress.storedBundles < room {
            put(bundle)
        } else {
            progress.waiting.append(bundle)
        }
    }

    /// Notes that a worker has closed sessions that cannot be handed off.
    mutating func noteClosed(_ count: Int) { progress.closedCount += count }

    /// Stores the waiting bundles after the last worker has ended, and logs what the next process
    /// gets.
    ///
    /// If not all sessions fit, the busiest are closed: bundles of quieter sessions are stored
    /// first.
    mutating func finish() {
        guard store.isForRestart else { return }
        // All sessions are packed, so the last bundle can have the ledger's room.
        let leftCount = storeWaiting()
        endLedger()
        // Notifications that the manager has not read yet would be lost with this process.
        store.settle()
        let other = progress.closedCount
        let lost = other + leftCount
        let reasons =
            "; closed \(count(lost, "session")): \(leftCount) did not fit the store, "
            + "\(other) could not be handed off"
        let storedCount = progress.storedSessions
        logger.log(
            level: leftCount == 0 ? .notice : .warning,
            .handedOff,
            """
            stored \(count(socketCount, "socket")) and \(count(storedCount, "session")) for the \
            next process\(lost == 0 ? "" : reasons)
            """,
            metadata: ["sessions": .number(storedCount), "refused": .number(lost)]
        )
    }

    /// Stores the bundles that are ready, because this process must end before all sessions are
    /// packed.
    mutating func breakOff() {
        guard handsOff else { return }
        // The ledger stays in the store, so that the next process logs the missing sessions.
        _ = storeWaiting()
        store.settle()
    }

    /// Stores the waiting bundles, those of the quietest sessions first, and resets the sessions
    /// that do not fit.
    ///
    /// - Returns: The number of sessions that did not fit.
    private mutating func storeWaiting() -> Int {
        let waiting = progress.waiting.sorted { $0.rank < $1.rank }
        progress.waiting = []
        if progress.storedBundles + waiting.count >= room { endLedger() }
        var leftCount = 0
        for bundle in waiting {
            if progress.storedBundles < room {
                put(bundle)
            } else {
                bundle.breakOff()
                leftCount += bundle.sessionCount
            }
        }
        return leftCount
    }

    /// Removes the ledger from the store.
    private mutating func endLedger() {
        guard progress.ledger != nil else { return }
        progress.ledger = nil
        store.forget(HandoffStore.ledgerName)
    }

    /// Puts a bundle into the store.
    private mutating func put(_ bundle: SessionBundle) {
        let socket = bundle.socket.fileDescriptor
        guard store.store(socket, named: HandoffStore.sessionsName) else { return }
        progress.storedBundles += 1
        progress.storedSessions += bundle.sessionCount
    }

    private func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
