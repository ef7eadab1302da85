internal import Varlink
internal import VerypollControl
internal import VerypollServer

/// The calls of control clients that wait for answers from workers.
struct PendingCalls {
    /// The time within which the workers must answer.
    private static let limit = Duration.seconds(2)

    private struct Listing {
        let callID: CallID
        let limit: Int
        let dueAt: ContinuousClock.Instant
        var missing: Int
        var sessions: [Status.Session] = []
        var isTruncated = false
    }

    /// A question to one worker about one session.
    private struct Single {
        let callID: CallID
        let session: Int
        let dueAt: ContinuousClock.Instant
    }

    /// A complete answer.
    struct Answer<Value: Sendable> {
        let callID: CallID
        let result: Result<Value, VarlinkError>
    }

    private var listings: [Int: Listing] = [:]
    private var singles: [Int: Single] = [:]
    private var lastNumber = 0

    /// Notes that `workers` workers are asked for sessions.
    ///
    /// - Returns: The number that the workers' answers carry.
    mutating func addListing(for callID: CallID, limit: Int, workers: Int) -> Int {
        lastNumber += 1
        listings[lastNumber] = Listing(
            callID: callID,
            limit: limit,
            dueAt: .now + Self.limit,
            missing: workers
        )
        return lastNumber
    }

    /// Notes that a worker is asked to show a session.
    ///
    /// - Returns: The number that the worker's answer carries.
    mutating func add(_ session: Int, for callID: CallID) -> Int {
        lastNumber += 1
        singles[lastNumber] = Single(callID: callID, session: session, dueAt: .now + Self.limit)
        return lastNumber
    }

    /// Adds the sessions of one worker.
    ///
    /// - Returns: The answer, once all workers have reported.
    mutating func add(
        _ sessions: [Status.Session],
        _ isTruncated: Bool,
        to number: Int
    ) -> Answer<SessionList>? {
        guard var listing = listings.removeValue(forKey: number) else { return nil }
        listing.sessions += sessions
        listing.isTruncated = listing.isTruncated || isTruncated
        listing.missing -= 1
        guard listing.missing == 0 else {
            listings[number] = listing
            return nil
        }
        let sorted = listing.sessions.sorted {
            ($0.openedTimestampUSec, $0.id) < ($1.openedTimestampUSec, $1.id)
        }
        let list = SessionList(
            sessions: Array(sorted.prefix(listing.limit)),
            truncated: listing.isTruncated || sorted.count > listing.limit
        )
        return Answer(callID: listing.callID, result: .success(list))
    }

    /// Completes a call to show a session, after the worker has reported what it found.
    mutating func finish(_ number: Int, session: Status.Session?) -> Answer<SessionAnswer>? {
        guard let single = singles.removeValue(forKey: number) else { return nil }
        let answer = session.map(SessionAnswer.init)
        return Answer(
            callID: single.callID,
            result: answer.map { .success($0) } ?? .failure(.sessionNotFound(single.session))
        )
    }

    /// Removes the calls that have waited too long, and returns their IDs.
    mutating func expire(now: ContinuousClock.Instant) -> [CallID] {
        guard !listings.isEmpty || !singles.isEmpty else { return [] }
        let late = listings.filter { $0.value.dueAt <= now }
        let lateSingles = singles.filter { $0.value.dueAt <= now }
        for number in late.keys { listings[number] = nil }
        for number in lateSingles.keys { singles[number] = nil }
        return late.values.map(\.callID) + lateSingles.values.map(\.callID)
    }
}
