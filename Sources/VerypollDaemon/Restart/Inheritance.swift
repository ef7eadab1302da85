#if Net && OSExt
internal import SystemPackage
internal import Systemd
internal import Verypoll

/// A session of the process before, with descriptors that whoever takes it up is to close.
struct InheritedSession: Sendable {
    let record: SessionRecord
    let descriptors: [FileDescriptor]
}

/// Why a session was not taken up.
enum Refusal: String, CaseIterable, Sendable {
    case version = "another version has written them"
    case malformed = "their records make no sense"
    case lost = "the kernel did not hand them over whole"
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

    /// Whether there were none.
    var isEmpty: Bool { takenCount == 0 && refusals.isEmpty }

    /// Notes that sessions are not taken up.
    mutating func refuse(_ count: Int = 1, because refusal: Refusal) {
        refusals[refusal, default: 0] += count
    }

    /// Adds what another worker has done.
    mutating func add(_ other: TakingUp) {
        takenCount += other.takenCount
        refusals.merge(other.refusals, uniquingKeysWith: +)
    }
}

/// All sessions that the process before has left.
struct Inheritance: Sendable {
    /// Those that can be taken up, as far as that is known.
    private var sessions: [InheritedSession] = []
    /// No session had this number or a larger one.
    private(set) var nextSessionID: UInt64 = 1
    /// Those that cannot.
    private(set) var outcome = TakingUp()

    /// A worker's part.
    struct Share: Sendable {
        var sessions: [InheritedSession]
        var nextSessionID: UInt64
    }

    /// Takes all sessions out of the store; those that cannot be taken up are broken off.
    init(_ passed: inout ActivatedSockets, _ succession: Succession) {
        let parcels = passed.take(named: Succession.sessionsName)
        for parcel in parcels { open(Parcel.open(OwnedFD(adopting: parcel))) }
        if !parcels.isEmpty { succession.forget(Succession.sessionsName) }
    }

    /// A worker's part: whose numbers say so; see `Worker.nextSessionID`.
    func share(of worker: Int, workers: Int) -> Share {
        let own = sessions.filter { Int(($0.record.id - 1) % UInt64(workers)) == worker }
        return Share(sessions: own, nextSessionID: nextSessionID)
    }

    private mutating func open(_ contents: Parcel.Contents) {
        var rest = contents.descriptors[...]
        do throws(RecordError) {
            guard case .success(let bytes) = contents.file else {
                outcome.refuse(because: .lost)
                return DescriptorList(contents.descriptors).reset()
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
            outcome.refuse(because: refusal)
        }
        DescriptorList(Array(rest)).reset()
    }

    private mutating func take(_ entry: SessionFile.Entry, _ descriptors: [FileDescriptor]) {
        guard let record = entry.record, descriptors.count == entry.descriptorCount else {
            outcome.refuse(because: entry.record == nil ? .malformed : .lost)
            return DescriptorList(descriptors).reset()
        }
        nextSessionID = max(nextSessionID, record.id + 1)
        sessions.append(InheritedSession(record: record, descriptors: descriptors))
    }
}
#endif
