#if Net && OSExt
internal import Logging
internal import SystemPackage
internal import Verypoll

/// The sessions on their way to the next process, as they get into the store.
struct HandOver {
    /// Parcels of a rank below this one have room in the store, whatever else comes.
    private(set) var certainRanks = 0
    /// The parcels that may have to give way to those of quieter sessions.
    var waiting: [Parcel] = []
    var storedParcels = 0
    var storedSessions = 0
    /// How many sessions cannot be handed over.
    var closedCount = 0
    /// What tells the next process which sessions are missing, if this one crashes meanwhile.
    var ledger: HandoffLedgerFile?

    /// Finds out which parcels can be stored as soon as they come.
    ///
    /// - Parameters:
    ///   - counts: How many sessions each worker has.
    ///   - room: How many parcels the store can take.
    /// - Returns: How many parcels there will be.
    mutating func plan(_ counts: [Int], room: Int) -> Int {
        let limit = SessionFile.sessionLimit
        let parcels = counts.map { ($0 + limit - 1) / limit }
        let most = parcels.max() ?? 0
        let certain = (0...most).last { rank in
            parcels.reduce(0) { $0 + min($1, rank) } <= room
        }
        certainRanks = certain ?? 0
        return parcels.reduce(0, +)
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
    func beginHandOver() {
        let counts = workers.counters.map { Int($0.tally.sessions) }
        let room = restart.room
        let parcelCount = restart.handOver.plan(counts, room: room)
        // Where room is short, sessions come first. A parcel may yet have to be split in two.
        guard parcelCount > 0, parcelCount < room else { return }
        do throws(Errno) {
            let ledger = try HandoffLedgerFile(sessionCounts: counts)
            let name = Succession.ledgerName
            guard restart.succession.store(ledger.file.fileDescriptor, named: name) else { return }
            restart.handOver.ledger = ledger
        } catch {
            logger.warning("cannot note which sessions are handed over: \(error)")
        }
    }

    /// Notes the sessions that a worker is about to pack.
    func noteSessions(_ ids: [UInt64], of worker: Int) {
        guard let ledger = restart.handOver.ledger else { return }
        do throws(Errno) {
            try SealedFile.append(HandoffLedger.entry(of: worker, ids: ids), to: ledger.file)
        } catch {
            logger.warning("cannot note which sessions are handed over: \(error)")
        }
    }

    /// Stores sessions at once, if no quieter ones may need the room.
    func store(_ parcel: Parcel) {
        // The ledger has a place as well, until the last parcel is there.
        let room = restart.room - (restart.handOver.ledger == nil ? 0 : 1)
        let isCertain = parcel.rank < restart.handOver.certainRanks
        if isCertain, restart.handOver.storedParcels < room {
            put(parcel)
        } else {
            restart.handOver.waiting.append(parcel)
        }
    }

    /// Stores the parcels that had to wait, those of the quietest sessions first, and breaks off
    /// those that find no room.
    ///
    /// - Returns: How many sessions found none.
    func storeWaiting() -> Int {
        let waiting = restart.handOver.waiting.sorted { $0.rank < $1.rank }
        restart.handOver.waiting = []
        if restart.handOver.storedParcels + waiting.count >= restart.room { endLedger() }
        var leftCount = 0
        for parcel in waiting {
            if restart.handOver.storedParcels < restart.room {
                put(parcel)
            } else {
                parcel.breakOff()
                leftCount += parcel.sessionCount
            }
        }
        return leftCount
    }

    /// Takes the ledger out of the store.
    func endLedger() {
        guard restart.handOver.ledger != nil else { return }
        restart.handOver.ledger = nil
        restart.succession.forget(Succession.ledgerName)
    }

    /// Leaves what is packed to the next process, as this one has to end before all is.
    func breakOffHandOver() {
        guard restart.handsOver else { return }
        // The ledger stays, where there is one: the next process logs what is missing.
        _ = storeWaiting()
        restart.succession.settle()
    }

    /// Puts sessions into the store.
    private func put(_ parcel: Parcel) {
        let socket = parcel.socket.fileDescriptor
        guard restart.succession.store(socket, named: Succession.sessionsName) else { return }
        restart.handOver.storedParcels += 1
        restart.handOver.storedSessions += parcel.sessionCount
    }
}
#endif
