#if Net && OSExt
internal import SystemPackage
internal import Systemd
internal import Verypoll

/// A session of the process before, with descriptors that whoever takes it up is to close.
struct InheritedSession: Equatable, Sendable {
    let record: SessionRecord
    let descriptors: [FileDescriptor]
}

/// Why a session was not taken up.
enum Refusal: String, CaseIterable, Sendable {
    case version = "another version has written them"
    case malformed = "their records make no sense"
    case lost = "the kernel did not hand them over whole"
    case crash = "the process before ended before it had handed them over"
    case descriptors = "their descriptors are not those that their records describe"
    case listener = "their listeners are not configured any more"
    case handler = "their listeners have other handlers now"
    case upstream = "their upstreams or servers are not configured any more"
    case full = "limits.maxSessions is reached"
    case resources = "out of resources"
}

/// What became of the sessions of the process before.
struct TakingUp: Sendable {
    var takenCount = 0
    var refusals: [Refusal: Int] = [:]
    /// The numbers of those that are lost, as far as they are known.
    var lostIDs: [Refusal: [UInt64]] = [:]

    /// Whether there were none.
    var isEmpty: Bool { takenCount == 0 && refusals.isEmpty }

    /// Notes that sessions are not taken up.
    ///
    /// - Parameters:
    ///   - id: The number of one session; `nil` where it is not known.
    ///   - refusal: Why.
    mutating func refuse(_ id: UInt64?, because refusal: Refusal) {
        refusals[refusal, default: 0] += 1
        if let id { lostIDs[refusal, default: []].append(id) }
    }

    /// Notes that sessions are not taken up, of some of which the numbers are known.
    mutating func refuse(_ ids: [UInt64], count: Int, because refusal: Refusal) {
        guard count > 0 else { return }
        refusals[refusal, default: 0] += count
        lostIDs[refusal, default: []] += ids
    }

    /// How many sessions are not taken up.
    var refusedCount: Int { refusals.values.reduce(0, +) }

    /// The sessions that are lost, as the log names them: `limit` of their numbers, and how many
    /// there are besides.
    func lostSessions(limit: Int = 20) -> String {
        let total = refusedCount
        let noun = total == 1 ? "session" : "sessions"
        let ids = lostIDs.values.joined().sorted()
        guard !ids.isEmpty else { return "\(total) \(noun) lost" }
        let shown = ids.prefix(limit).map(String.init).joined(separator: ", ")
        let rest = total - min(limit, ids.count)
        return "\(total) \(noun) lost: \(shown)" + (rest > 0 ? " and \(rest) more" : "")
    }

    /// Adds what another worker has done.
    mutating func add(_ other: TakingUp) {
        takenCount += other.takenCount
        refusals.merge(other.refusals, uniquingKeysWith: +)
        lostIDs.merge(other.lostIDs, uniquingKeysWith: +)
    }
}

/// All sessions that the process before has left.
struct Inheritance: Sendable {
    /// Those that can be taken up, as far as that is known.
    private var sessions: [InheritedSession] = []
    /// The descriptors of sessions that cannot be taken up.
    private var useless: [FileDescriptor] = []
    /// No session had this number or a larger one.
    private(set) var nextSessionID: UInt64 = 1
    /// Those that cannot.
    private(set) var outcome = TakingUp()
    /// What all of them are still in, for the next process should this one fail to start.
    private let parcels: [FileDescriptor]
    /// Whether the process before ended while it handed its sessions over.
    private let hasLedger: Bool

    /// A worker's part.
    struct Share: Equatable, Sendable {
        var sessions: [InheritedSession]
        var nextSessionID: UInt64
    }

    /// Duplicates all sessions that the process before has left.
    ///
    /// Everything stays in the store, and nothing is done to the sessions, before
    /// ``claim(_:)``.
    init(_ passed: inout ActivatedSockets) {
        parcels = passed.take(named: Succession.sessionsName)
        let ledgers = passed.take(named: Succession.ledgerName)
        hasLedger = !ledgers.isEmpty
        for parcel in parcels {
            let owned = OwnedFD(adopting: parcel)
            look(into: Parcel.look(into: owned))
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
    mutating func claim(_ succession: Succession) {
        if !parcels.isEmpty { succession.forget(Succession.sessionsName) }
        if hasLedger { succession.forget(Succession.ledgerName) }
        // Whatever the manager does, a session is held by this process alone from now on.
        for parcel in parcels {
            _ = DescriptorList(Parcel.open(OwnedFD(adopting: parcel)).descriptors)
        }
        DescriptorList(useless).reset()
        useless = []
    }

    /// Breaks all sessions off, and takes them out of the store.
    mutating func breakOff(_ succession: Succession) {
        useless += sessions.flatMap(\.descriptors)
        sessions = []
        claim(succession)
    }

    /// A worker's part: whose numbers say so; see `Worker.nextSessionID`.
    func share(of worker: Int, workers: Int) -> Share {
        let own = sessions.filter { Int(($0.record.id - 1) % UInt64(workers)) == worker }
        return Share(sessions: own, nextSessionID: nextSessionID)
    }

    private mutating func look(into contents: Parcel.Contents) {
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
        sessions.append(InheritedSession(record: record, descriptors: descriptors))
    }
}
#endif
