/// The most connections that one acceptor takes in a turn.
///
/// A call that finds the backlog empty is wasted, so a worker whose connections come one by one
/// takes one a turn. While the backlog lasts, the quota doubles from turn to turn; once the backlog
/// is empty, the quota is what was there, and it stays so until the connections come faster or
/// slower.
struct AcceptQuota: Equatable {
    /// The largest quota.
    static let limit = 32

    /// How many connections the next round may take.
    private(set) var count = 1
    /// The turn whose round took as many as it might, if it was the last round.
    private var filledIn: UInt64?

    /// Begins a round.
    ///
    /// - Parameter turn: The number of the worker's turn.
    /// - Returns: How many connections the round may take.
    mutating func begin(turn: UInt64) -> Int {
        if let filledIn, filledIn &+ 1 == turn { count = min(2 * count, Self.limit) }
        filledIn = nil
        return count
    }

    /// Notes that the round has taken as many as it might.
    mutating func fill(turn: UInt64) {
        filledIn = turn
    }

    /// Notes that the round has found the backlog empty, after so many connections.
    mutating func findEmpty(after taken: Int) {
        count = max(1, taken)
    }
}
