internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollServer

/// All sessions that the process before has left.
struct RestoredSessions: Sendable {
    /// Those that can be taken up, as far as that is known.
    private var sessions: [RestoredSession] = []
    /// The descriptors of sessions that cannot be taken up.
    private var useless: [FileDescriptor] = []
    /// No session had this number or a larger one.
    private(set) var nextSessionID: UInt64 = 1
    /// Those that cannot.
    private(set) var outcome = RestoreOutcome()
    /// The bundles that hold all of them, for the next process if this one fails to start.
    private let bundles: [FileDescriptor]
    /// Whether the process before ended while it handed its sessions over.
    private let hasLedger: Bool

    /// Duplicates all sessions that the process before has left.
    ///
    /// Everything stays in the store, and nothing is done to the sessions, before
    /// ``claim(_:)``.
    init(_ activated: inout ActivatedSockets) {
        bundles = activated.take(named: HandoffStore.sessionsName)
        let ledgers = activated.take(named: HandoffStore.ledgerName)
        hasLedger = !ledgers.isEmpty
        for bundle in bundles {
            let owned = OwnedFD(adopting: bundle)
            look(into: SessionBundle.look(into: owned))
            _ = owned.release()
        }
        for ledger in ledgers { compare(with: OwnedFD(adopting: ledger)) }
    }

    /// Finds out which sessions never got into the store.
    private mutating func compare(with file: consuming OwnedFD) {
        guard let bytes = try? SealedFile.read(file, limit: HandoffLedger.limit, isSealed: false),
            let ledger = try? HandoffLedger(decoding: bytes)
        else { return outcome.refuse(nil, because: .crash) }
        let known = sessions.map(\.record.id) + outcome.lostIDs.values.joined()
        let missing = ledger.missing(besides: Set(known))
        outcome.refuse(missing.ids, count: missing.count, because: .crash)
        nextSessionID = max(nextSessionID, (missing.ids.last ?? 0) + 1)
    }

    /// Makes the sessions those of this process, and takes them out of the store; those that cannot
    /// be taken up are broken off.
    mutating func claim(_ handoffStore: HandoffStore) {
        if !bundles.isEmpty { handoffStore.forget(HandoffStore.sessionsName) }
        if hasLedger { handoffStore.forget(HandoffStore.ledgerName) }
        // From now on this process alone holds the sessions, also if the manager keeps the bundles.
        for bundle in bundles {
            _ = DescriptorList(SessionBundle.open(OwnedFD(adopting: bundle)).descriptors)
        }
        DescriptorList(useless).reset()
        useless = []
    }

    /// Breaks all sessions off, and takes them out of the store.
    mutating func breakOff(_ handoffStore: HandoffStore) {
        useless += sessions.flatMap(\.descriptors)
        sessions = []
        claim(handoffStore)
    }

    /// A worker's part: whose numbers say so; see `Worker.nextSessionID`.
    func share(of worker: Int, workers: Int) -> SessionShare {
        let own = sessions.filter { Int(($0.record.id - 1) % UInt64(workers)) == worker }
        return SessionShare(sessions: own, nextSessionID: nextSessionID)
    }

    private mutating func look(into contents: SessionBundle.Contents) {
        var rest = contents.descriptors[...]
        do throws(RecordError) {
            guard case .success(let bytes) = contents.file else {
                outcome.refuse(nil, because: .lost)
                useless += contents.descriptors
                return
            }
            let file = try SessionFile(decoding: bytes)
            nextSessionID = max(nextSessionID, file.nextSessionID)
            for entry in file.entries {
                let own = Array(rest.prefix(entry.descriptorCount))
                rest = rest.dropFirst(entry.descriptorCount)
                take(entry, own)
            }
        } catch {
            let refusal: Refusal = if case .version = error { .version } else { .malformed }
            outcome.refuse(nil, because: refusal)
        }
        useless += rest
    }

    private mutating func take(_ entry: SessionFile.Entry, _ descriptors: [FileDescriptor]) {
        guard let record = entry.record, descriptors.count == entry.descriptorCount else {
            outcome.refuse(entry.record?.id, because: entry.record == nil ? .malformed : .lost)
            useless += descriptors
            return
        }
        nextSessionID = max(nextSessionID, record.id + 1)
        sessions.append(RestoredSession(record: record, descriptors: descriptors))
    }
}
