internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// The progress of storing the sessions for the next process.
struct HandoffProgress {
    /// Bundles with a lower rank than this number are certain to fit in the store.
    private(set) var certainRanks = 0
    /// The bundles that are not stored yet, because bundles of less busy sessions have precedence.
    var waiting: [SessionBundle] = []
    var storedBundles = 0
    var storedSessions = 0
    /// The number of sessions that cannot be handed off.
    var closedCount = 0
    /// The ledger, from which the next process learns which sessions are missing if this process
    /// crashes during the handoff.
    var ledger: HandoffLedgerFile?

    /// Determines which bundles can be stored as soon as they arrive.
    ///
    /// - Parameters:
    ///   - counts: The number of sessions of each worker.
    ///   - room: The number of bundles that fit in the store.
    /// - Returns: The number of bundles to expect.
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
