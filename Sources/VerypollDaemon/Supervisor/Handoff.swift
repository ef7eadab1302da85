// A restart that keeps sockets and sessions.
//
// Listening sockets are in systemd's descriptor store from the moment they are bound. At a stop for
// a restart, each worker packs its sessions into bundles, quietest sessions first, and each bundle
// is stored as soon as it is packed. A ledger is stored before the first bundle: it tells the next
// process which sessions are missing if this one crashes in between. The next process is given
// everything and reads it without taking anything out. Only when nothing can keep it from starting
// any more does it claim what it was given, so a start that fails loses nothing.
internal import Logging
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollServer

/// The sockets and sessions that came from the previous process, and that go to the next one.
struct Handoff {
    /// How long an announcement that the coming stop is for a restart is valid.
    private static let announcementLife = Duration.seconds(30)

    /// The store that outlives this process.
    let store: HandoffStore
    private let logger: Logger
    /// Whether sessions are kept, if there is a next process.
    var keepsSessions: Bool
    private var announcedAt: ContinuousClock.Instant?
    /// The sessions of the previous process; none is left here once the workers have them.
    private(set) var restoredSessions: RestoredSessions
    /// The listening sockets on their way to this process, until it has begun.
    private(set) var exchange: SocketExchange?
    /// The outcome of restoring the sessions, as far as the workers have reported it.
    private var outcome: RestoreOutcome
    /// The sessions of this process on their way to the next one.
    private var progress = HandoffProgress()
    /// How many listening sockets go to the next process.
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

    /// Claims everything that the previous process has left.
    ///
    /// - Throws: Why a socket does not listen. Then nothing has changed, and the next process gets
    ///   the same.
    mutating func claim() throws(ListenerError) {
        try exchange?.commit()
        store.hasBegun = true
        restoredSessions.claim(store)
    }

    /// Closes what no listener has claimed.
    mutating func releaseRest() {
        exchange?.releaseRest()
        exchange = nil
    }

    /// Drops everything that the previous process has left, as this one ends for good before it
    /// has begun.
    mutating func abandon() {
        guard !store.hasBegun else { return }
        store.hasBegun = true
        restoredSessions.breakOff(store)
        releaseRest()
    }

    /// Notes the outcome of one worker's share.
    mutating func note(_ other: RestoreOutcome) { outcome.add(other) }

    /// Logs what was restored, and what was not.
    func reportRestored() {
        let sockets = store.inheritedCount
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

    // MARK: To the next process

    /// Notes that the coming stop is for a restart.
    mutating func announce(now: ContinuousClock.Instant = .now) { announcedAt = now }

    /// Decides, once a stop has come, whether it is for a restart.
    mutating func decide(now: ContinuousClock.Instant = .now) {
        guard let announcedAt, now - announcedAt < Self.announcementLife else { return }
        store.isForRestart = store.store.capacity > 0
        socketCount = store.socketCount
    }

    /// Whether the sessions go to the next process.
    var handsOff: Bool { keepsSessions && store.isForRestart }

    /// How many descriptors the store can take besides the listening sockets.
    private var room: Int { max(0, store.store.capacity - socketCount) }

    /// Whether a stop has to wait until the workers have fewer sessions, so that all fit the store.
    func awaitsRoom(for sessionCounts: [Int]) -> Bool {
        let limit = SessionFile.sessionLimit
        let needed = sessionCounts.reduce(0) { $0 + ($1 + limit - 1) / limit }
        return handsOff && needed > room
    }

    /// Stores the ledger, before any session is packed.
    mutating func begin(_ sessionCounts: [Int]) {
        let bundleCount = progress.plan(sessionCounts, room: room)
        // Where room is short, sessions come first. A bundle may yet have to be split in two.
        guard bundleCount > 0, bundleCount < room else { return }
        do throws(Errno) {
            let ledger = try HandoffLedgerFile(sessionCounts: sessionCounts)
            let name = HandoffStore.ledgerName
            guard store.store(ledger.file.fileDescriptor, named: name) else { return }
            progress.ledger = ledger
        } catch {
            logger.warning("cannot note which sessions are handed over: \(error)")
        }
    }

    /// Notes the sessions that a worker is about to pack.
    func noteSessions(_ ids: [UInt64], of worker: Int) {
        guard let ledger = progress.ledger else { return }
        do throws(Errno) {
            try SealedFile.append(HandoffLedger.entry(of: worker, ids: ids), to: ledger.file)
        } catch {
            logger.warning("cannot note which sessions are handed over: \(error)")
        }
    }

    /// Stores sessions at once, unless quieter ones may need the room.
    mutating func add(_ bundle: SessionBundle) {
        // The ledger has a place as well, until the last bundle is there.
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

    /// Stores the rest after the last worker has ended, and logs what the next process gets.
    ///
    /// Of the sessions that find no room, the busiest are closed: a bundle of each worker's
    /// quietest goes before any with busier ones.
    mutating func finish() {
        guard store.isForRestart else { return }
        // All is packed, so that the ledger's place is free for the last bundle.
        let leftCount = storeWaiting()
        endLedger()
        // What the manager has not read yet would be lost with this process.
        store.settle()
        let other = progress.closedCount
        let lost = other + leftCount
        let reasons = "; closed: \(leftCount) for want of room, \(other) that can't be kept"
        let storedCount = progress.storedSessions
        logger.log(
            level: leftCount == 0 ? .notice : .warning,
            .handedOff,
            """
            left to the next process: \(count(socketCount, "socket")), \
            \(count(storedCount, "session"))\(lost == 0 ? "" : reasons)
            """,
            metadata: ["sessions": "\(storedCount)", "refused": "\(lost)"]
        )
    }

    /// Leaves what is packed to the next process, as this one has to end before all is.
    mutating func breakOff() {
        guard handsOff else { return }
        // The ledger stays, where there is one: the next process logs what is missing.
        _ = storeWaiting()
        store.settle()
    }

    /// Stores the bundles that had to wait, those of the quietest sessions first, and breaks off
    /// those that find no room.
    ///
    /// - Returns: How many sessions found none.
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

    /// Takes the ledger out of the store.
    private mutating func endLedger() {
        guard progress.ledger != nil else { return }
        progress.ledger = nil
        store.forget(HandoffStore.ledgerName)
    }

    /// Puts sessions into the store.
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
