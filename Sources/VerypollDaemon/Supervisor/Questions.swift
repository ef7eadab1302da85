#if Net && OSExt
internal import Varlink
internal import VerypollControl

/// The calls of control clients that wait for answers of workers.
struct Questions {
    /// How long a worker may take to answer.
    private static let limit = Duration.seconds(2)

    private struct Listing {
        let ticket: ControlTicket
        let limit: Int
        let dueAt: ContinuousClock.Instant
        var missing: Int
        var sessions: [Status.Session] = []
        var isTruncated = false
    }

    private struct Killing {
        let ticket: ControlTicket
        let session: Int
        let dueAt: ContinuousClock.Instant
    }

    /// An answer that is whole.
    struct Answer<Value: Sendable> {
        let ticket: ControlTicket
        let result: Result<Value, VarlinkError>
    }

    private var listings: [Int: Listing] = [:]
    private var killings: [Int: Killing] = [:]
    private var lastNumber = 0

    /// Notes that `workers` are asked for sessions; returns the number that they answer to.
    mutating func addListing(for ticket: ControlTicket, limit: Int, workers: Int) -> Int {
        lastNumber += 1
        listings[lastNumber] = Listing(
            ticket: ticket,
            limit: limit,
            dueAt: .now + Self.limit,
            missing: workers
        )
        return lastNumber
    }

    /// Notes that a worker is asked to end a session; returns the number that it answers to.
    mutating func addKilling(of session: Int, for ticket: ControlTicket) -> Int {
        lastNumber += 1
        killings[lastNumber] = Killing(ticket: ticket, session: session, dueAt: .now + Self.limit)
        return lastNumber
    }

    /// Adds one worker's sessions; the last one's make the answer.
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
        return Answer(ticket: listing.ticket, result: .success(list))
    }

    /// Takes a worker's word on whether there was such a session.
    mutating func finish(_ number: Int, isFound: Bool) -> Answer<NoParameters>? {
        guard let killing = killings.removeValue(forKey: number) else { return nil }
        return Answer(
            ticket: killing.ticket,
            result: isFound ? .success(NoParameters()) : .failure(.sessionNotFound(killing.session))
        )
    }

    /// Gives up on what has waited too long, and returns whose calls these were.
    mutating func expire(now: ContinuousClock.Instant) -> [ControlTicket] {
        guard !listings.isEmpty || !killings.isEmpty else { return [] }
        let late = listings.filter { $0.value.dueAt <= now }
        let lateKillings = killings.filter { $0.value.dueAt <= now }
        for number in late.keys { listings[number] = nil }
        for number in lateKillings.keys { killings[number] = nil }
        return late.values.map(\.ticket) + lateKillings.values.map(\.ticket)
    }
}
#endif
