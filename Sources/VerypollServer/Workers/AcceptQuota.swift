/// The most connections that an acceptor takes from its backlog in one turn.
///
/// A call of accept(2) that finds the backlog empty is wasted. So a worker whose connections arrive
/// one at a time takes one per turn. While the rounds of successive turns use their whole quota,
/// the quota doubles. When a round empties the backlog, the quota becomes the number of connections
/// that were in it.
struct AcceptQuota: Equatable {
    /// The largest quota.
    static let limit = 32

    /// The number of connections that the next round may take.
    private(set) var count = 1
    /// The turn of the last round, if that round used its whole quota.
    private var filledIn: UInt64?

    /// Begins a round.
    ///
    /// - Parameter turn: The number of the worker's turn.
    /// - Returns: The number of connections that the round may take.
    mutating func begin(turn: UInt64) -> Int {
        if let filledIn, filledIn &+ 1 == turn { count = min(2 * count, Self.limit) }
        filledIn = nil
        return count
    }

    /// Notes that the round has used its whole quota.
    mutating func fill(turn: UInt64) {
        filledIn = turn
    }

    /// Notes that the round has found the backlog empty after this many connections.
    mutating func findEmpty(after taken: Int) {
        count = max(1, taken)
    }
}
