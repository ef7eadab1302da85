package import SystemPackage

/// A session of the previous process; the worker that restores or refuses it must close its
/// descriptors.
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

/// The reason that a session was not restored.
package enum Refusal: String, CaseIterable, Sendable {
    case version = "incompatible version"
    case malformed = "their records are malformed"
    case lost = "they arrived incomplete"
    case crash = "the previous process ended before it had stored them"
    case descriptors = "their descriptors do not match their records"
    case listener = "their listeners are not configured any more"
    case handler = "their listeners have other handlers now"
    case upstream = "their upstreams or servers are not configured any more"
    case full = "limits.maxSessions is reached"
    case resources = "out of resources"
}

/// The result of restoring the sessions of the previous process.
package struct RestoreOutcome: Sendable {
    package var restoredCount = 0
    package var refusals: [Refusal: Int] = [:]
    /// The IDs of the lost sessions, as far as they are known.
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

    /// Whether there were no sessions to restore.
    package var isEmpty: Bool { restoredCount == 0 && refusals.isEmpty }

    /// Notes that a session was not restored.
    ///
    /// - Parameters:
    ///   - id: The ID of the session; `nil` if it is not known.
    ///   - refusal: The reason.
    package mutating func refuse(_ id: UInt64?, because refusal: Refusal) {
        refusals[refusal, default: 0] += 1
        if let id { lostIDs[refusal, default: []].append(id) }
    }

    /// Notes that `count` sessions were not restored, of which some IDs are known.
    package mutating func refuse(_ ids: [UInt64], count: Int, because refusal: Refusal) {
        guard count > 0 else { return }
        refusals[refusal, default: 0] += count
        lostIDs[refusal, default: []] += ids
    }

    /// The number of sessions that were not restored.
    package var refusedCount: Int { refusals.values.reduce(0, +) }

    /// Returns the log's description of the lost sessions: at most `limit` IDs, and the number of
    /// the others.
    package func lostSessions(limit: Int = 20) -> String {
        let total = refusedCount
        let noun = total == 1 ? "session" : "sessions"
        let ids = lostIDs.values.joined().sorted()
        guard !ids.isEmpty else { return "\(total) \(noun) lost" }
        let shown = ids.prefix(limit).map(String.init).joined(separator: ", ")
        let rest = total - min(limit, ids.count)
        return "\(total) \(noun) lost: \(shown)" + (rest > 0 ? " and \(rest) more" : "")
    }

    /// Adds the result of another worker.
    package mutating func add(_ other: RestoreOutcome) {
        restoredCount += other.restoredCount
        refusals.merge(other.refusals, uniquingKeysWith: +)
        lostIDs.merge(other.lostIDs, uniquingKeysWith: +)
    }
}

/// One worker's part of the sessions of the previous process.
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
