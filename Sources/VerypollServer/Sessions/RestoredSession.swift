package import SystemPackage

/// A session of the process before, with descriptors that whoever takes it up is to close.
package struct RestoredSession: Equatable, Sendable {
    package let record: SessionRecord
    package let descriptors: [FileDescriptor]

    package init(
        record: SessionRecord,
        descriptors: [FileDescriptor]
    ) {
        self.record = record
        self.descriptors = descriptors
    }
}

/// Why a session was not taken up.
package enum Refusal: String, CaseIterable, Sendable {
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
package struct RestoreOutcome: Sendable {
    package var restoredCount = 0
    package var refusals: [Refusal: Int] = [:]
    /// The numbers of those that are lost, as far as they are known.
    package var lostIDs: [Refusal: [UInt64]] = [:]

    package init(
        restoredCount: Int = 0,
        refusals: [Refusal: Int] = [:],
        lostIDs: [Refusal: [UInt64]] = [:]
    ) {
        self.restoredCount = restoredCount
        self.refusals = refusals
        self.lostIDs = lostIDs
    }

    /// Whether there were none.
    package var isEmpty: Bool { restoredCount == 0 && refusals.isEmpty }

    /// Notes that sessions are not taken up.
    ///
    /// - Parameters:
    ///   - id: The number of one session; `nil` where it is not known.
    ///   - refusal: Why.
    package mutating func refuse(_ id: UInt64?, because refusal: Refusal) {
        refusals[refusal, default: 0] += 1
        if let id { lostIDs[refusal, default: []].append(id) }
    }

    /// Notes that sessions are not taken up, of some of which the numbers are known.
    package mutating func refuse(_ ids: [UInt64], count: Int, because refusal: Refusal) {
        guard count > 0 else { return }
        refusals[refusal, default: 0] += count
        lostIDs[refusal, default: []] += ids
    }

    /// How many sessions are not taken up.
    package var refusedCount: Int { refusals.values.reduce(0, +) }

    /// The sessions that are lost, as the log names them: `limit` of their numbers, and how many
    /// there are besides.
    package func lostSessions(limit: Int = 20) -> String {
        let total = refusedCount
        let noun = total == 1 ? "session" : "sessions"
        let ids = lostIDs.values.joined().sorted()
        guard !ids.isEmpty else { return "\(total) \(noun) lost" }
        let shown = ids.prefix(limit).map(String.init).joined(separator: ", ")
        let rest = total - min(limit, ids.count)
        return "\(total) \(noun) lost: \(shown)" + (rest > 0 ? " and \(rest) more" : "")
    }

    /// Adds what another worker has done.
    package mutating func add(_ other: RestoreOutcome) {
        restoredCount += other.restoredCount
        refusals.merge(other.refusals, uniquingKeysWith: +)
        lostIDs.merge(other.lostIDs, uniquingKeysWith: +)
    }
}

/// A worker's part of the sessions that the process before has left.
package struct SessionShare: Equatable, Sendable {
    var sessions: [RestoredSession]
    var nextSessionID: UInt64

    package init(
        sessions: [RestoredSession],
        nextSessionID: UInt64
    ) {
        self.sessions = sessions
        self.nextSessionID = nextSessionID
    }
}
