internal import VerypollConfiguration

/// What the checks of a server have shown so far.
package struct HealthRecord {
    /// What a check has changed.
    package enum Change: Equatable {
        case down
        case up
    }

    private let rise: Int
    private let fall: Int
    /// The checks in a row that speak against the present state.
    private var contraryCount = 0

    /// Why the last check failed, or `nil` if it did not.
    private(set) var failure: String?
    /// Whether the server is down; it is taken to be up until checks have shown that it is not.
    private(set) var isDown: Bool

    init(_ check: UpstreamConfiguration.HealthCheck, isDown: Bool = false) {
        self.isDown = isDown
        rise = check.rise
        fall = check.fall
    }

    /// Notes what a check has shown: why it failed, or `nil` for a success.
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
