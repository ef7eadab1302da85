internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// The sessions on their way to the next process, as they get into the store.
struct HandoffProgress {
    /// SessionBundles of a rank below this one have room in the store, whatever else comes.
    private(set) var certainRanks = 0
    /// The bundles that may have to give way to those of quieter sessions.
    var waiting: [SessionBundle] = []
    var storedBundles = 0
    var storedSessions = 0
    /// How many sessions cannot be handed over.
    var closedCount = 0
    /// Tells the next process which sessions are missing, if this one crashes meanwhile.
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
