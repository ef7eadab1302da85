internal import Logging
internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// The sessions on their way to the next process, as they get into the store.
struct Handoff {
    /// SessionBundles of a rank below this one have room in the store, whatever else comes.
    private(set) var certainRanks = 0
    /// The bundles that may have to give way to those of quieter sessions.
    var waiting: [SessionBundle] = []
    var storedBundles = 0
    var storedSessions = 0
    /// How many sessions cannot be handed over.
    var closedCount = 0
    /// What tells the next process which sessions are missing, if this one crashes meanwhile.
    var ledger: HandoffLedgerFile?

    /// Finds out which bundles can be stored as soon as they come.
    ///
    /// - Parameters:
    ///   - counts: How many sessions each worker has.
    ///   - room: How many bundles the store can take.
    /// - Returns: How many bundles there will be.
    mutating func plan(_ counts: [Int], room: Int) -> Int {
        let limit = SessionFile.sessionLimit
        let bundles = counts.map { ($0 + limit - 1) / limit }
        let most = bundles.max() ?? 0
        let certain = (0...most).last { rank in
            bundles.reduce(0) { $0 + min($1, rank) } <= room
        }
        certainRanks = certain ?? 0
        return bundles.reduce(0, +)
    }
}

/// The file of a ``HandoffLedger`` while it is written.
final class HandoffLedgerFile {
    let file: OwnedFD

    init(sessionCounts: [Int]) throws(Errno) {
        let head = HandoffLedger.head(sessionCounts: sessionCounts)
        file = try SealedFile.open(head, named: "verypolld-ledger")
    }
}

extension Supervisor {
    /// Stores the ledger, before any session is on its way.
    func beginHandoff() {
        let counts = workers.counters.map { Int($0.tally.sessions) }
        let room = restart.room
        let bundleCount = restart.handoff.plan(counts, room: room)
        // Where room is short, sessions come first. A bundle may yet have to be split in two.
        guard bundleCount > 0, bundleCount < room else { return }
        do throws(Errno) {
            let ledger = try HandoffLedgerFile(sessionCounts: counts)
            let name = HandoffStore.ledgerName
            guard restart.handoffStore.store(ledger.file.fileDescriptor, named: name) else {
                return
            }
            restart.handoff.ledger = ledger
        } catch {
            logger.warning("cannot note which sessions are handed over: \(error)")
        }
    }

    /// Notes the sessions that a worker is about to pack.
    func noteSessions(_ ids: [UInt64], of worker: Int) {
        guard let ledger = restart.handoff.ledger else { return }
        do throws(Errno) {
            try SealedFile.append(HandoffLedger.entry(of: worker, ids: ids), to: ledger.file)
        } catch {
            logger.warning("cannot note which sessions are handed over: \(error)")
        }
    }

    /// Stores sessions at once, if no quieter ones may need the room.
    func store(_ bundle: SessionBundle) {
        // The ledger has a place as well, until the last bundle is there.
        let room = restart.room - (restart.handoff.ledger == nil ? 0 : 1)
        let isCertain = bundle.rank < restart.handoff.certainRanks
        if isCertain, restart.handoff.storedBundles < room {
            put(bundle)
        } else {
            restart.handoff.waiting.append(bundle)
        }
    }

    /// Stores the bundles that had to wait, those of the quietest sessions first, and breaks off
    /// those that find no room.
    ///
    /// - Returns: How many sessions found none.
    func storeWaiting() -> Int {
        let waiting = restart.handoff.waiting.sorted { $0.rank < $1.rank }
        restart.handoff.waiting = []
        if restart.handoff.storedBundles + waiting.count >= restart.room { endLedger() }
        var leftCount = 0
        for bundle in waiting {
            if restart.handoff.storedBundles < restart.room {
                put(bundle)
            } else {
                bundle.breakOff()
                leftCount += bundle.sessionCount
            }
        }
        return leftCount
    }

    /// Takes the ledger out of the store.
    func endLedger() {
        guard restart.handoff.ledger != nil else { return }
        restart.handoff.ledger = nil
        restart.handoffStore.forget(HandoffStore.ledgerName)
    }

    /// Leaves what is packed to the next process, as this one has to end before all is.
    func breakOffHandoff() {
        guard restart.handsOff else { return }
        // The ledger stays, where there is one: the next process logs what is missing.
        _ = storeWaiting()
        restart.handoffStore.settle()
    }

    /// Puts sessions into the store.
    private func put(_ bundle: SessionBundle) {
        let socket = bundle.socket.fileDescriptor
        guard restart.handoffStore.store(socket, named: HandoffStore.sessionsName) else { return }
        restart.handoff.storedBundles += 1
        restart.handoff.storedSessions += bundle.sessionCount
    }
}
