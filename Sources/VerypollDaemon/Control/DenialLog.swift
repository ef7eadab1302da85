internal import Verypoll

/// Limits how many refused calls are logged, so that a client without permission can't flood the
/// journal.
struct DenialLog {
    /// The most refusals that are logged in each period.
    static let limit = 10
    /// The length of a period.
    static let period = Duration.seconds(60)

    private var periodEndsAt: ContinuousClock.Instant?
    private var count = 0
    private var unlogged = 0

    /// Counts a refusal.
    ///
    /// - Returns: The number of earlier refusals that were not logged, or `nil` if this one must
    ///   not be logged either.
    mutating func admit(now: ContinuousClock.Instant) -> Int? {
        if periodEndsAt.map({ $0 <= now }) ?? true {
            periodEndsAt = now + Self.period
            count = 0
        }
        guard count < Self.limit else {
            unlogged += 1
            return nil
        }
        count += 1
        defer { unlogged = 0 }
        return unlogged
    }
}
