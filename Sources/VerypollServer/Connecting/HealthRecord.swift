internal import VerypollConfiguration

/// The results of a server's checks so far.
package struct HealthRecord {
    /// A change of the state by a check.
    package enum Change: Equatable {
        case down
        case up
    }

    private let rise: Int
    private let fall: Int
    /// The number of consecutive checks whose result contradicts the current state.
    private var contraryCount = 0

    /// The reason that the last check failed; `nil` if it succeeded.
    private(set) var failure: String?
    /// Whether the server is down; a server counts as up until its checks have failed.
    private(set) var isDown: Bool

    init(_ check: UpstreamConfiguration.HealthCheck, isDown: Bool = false) {
        self.isDown = isDown
        rise = check.rise
        fall = check.fall
    }

    /// Notes the result of a check: the reason of its failure, or `nil` for a success.
    mutating func note(_ failure: String?) -> Change? {
        self.failure = failure
        guard (failure != nil) != isDown else {
            contraryCount = 0
            return nil
        }
        contraryCount += 1
        guard contraryCount >= (isDown ? rise : fall) else { return nil }
        contraryCount = 0
        isDown.toggle()
        return isDown ? .down : .up
    }
}
