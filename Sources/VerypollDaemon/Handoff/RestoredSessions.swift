internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollServer

/// The sessions that the previous process stored.
struct RestoredSessions: Sendable {
    /// The sessions that can be restored, as far as their records show.
    private var sessions: [RestoredSession] = []
    /// The descriptors of the sessions that cannot be restored.
    private var useless: [FileDescriptor] = []
    /// An ID that is larger than the IDs of all previous sessions.
    private(set) var nextSessionID: UInt64 = 1
    /// The sessions that cannot be restored, by reason.
    private(set) var outcome = RestoreOutcome()
    /// The bundles that hold all sessions.
    ///
    /// The bundles stay intact until ``claim(_:)``, so that the next process can restore the
    /// sessions if this one fails to start.
    private let bundles: [FileDescriptor]
    /// Whether the previous process ended while it was handing off its sessions.
    private let hasLedger: Bool

    /// Reads all sessions that the previous process stored, and duplicates their descriptors.
    ///
    /// Until ``claim(_:)``, everything stays in the store and the sessions are left unchanged.
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

    /// Determines which sessions never reached the store.
    private mutating func compare(with file: consuming OwnedFD) {
        guard let bytes = try? SealedFile.read(file, limit: HandoffLedger.limit, isSealed: false),
            let ledger = try? HandoffLedger(decoding: bytes)
        else { return outcome.refuse(nil, because: .crash) }
        let known = sessions.map(\.record.id) + outcome.lostIDs.values.joined()
        let missing = ledger.missing(besides: Set(known))
        outcome.refuse(missing.ids, count: missing.count, because: .crash)
        nextSessionID = max(nextSessionID, (missing.ids.last ?? 0) + 1)
    }

    /// Takes over the sessions, removes them from the store, and resets those that cannot be
    /// restored.
    mutating func claim(_ handoffStore: HandoffStore) {
        if !bundles.isEmpty { handoffStore.forget(HandoffStore.sessionsName) }
        if hasLedger { handoffStore.forget(HandoffStore.ledgerName) }
        // From here on, only this process holds the sessions, even if the manager keeps the
        // bundles.
        for bundle in bundles {
            _ = DescriptorList(SessionBundle.open(OwnedFD(adopting: bundle)).descriptors)
        }
        DescriptorList(useless).reset()
        useless = []
    }

    /// Resets all sessions, and removes them from the store.
    mutating func breakOff(_ handoffStore: HandoffStore) {
        useless += sessions.flatMap(\.descriptors)
        sessions = []
        claim(handoffStore)
    }

    /// Returns the sessions of one worker.
    ///
    /// The ID of a session determines its worker; see `Worker.nextSessionID`.
    func share(of worker: Int, workers: Int) -> SessionShare {
        let own = sessions.filter { Int(($0.record.id - 1) % UInt64(workers)) == worker }
        return SessionShare(sessions: own, nextSessionID: nextSessionID)
    }

    /// The servers with IP addresses that sessions have, by upstream.
    var servers: [String: [ServerAddress]] {
        var servers: [String: Set<SocketAddress>] = [:]
        for case let route? in sessions.map(\.record.route) {
            guard let address = SocketAddress(route.server) else { continue }
            servers[route.upstream, default: []].insert(address)
        }
        return servers.mapValues { $0.map { .tcp($0) } }
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
