/// What the command ends with; scripts rely on the numbers.
enum ExitStatus: Int32, Sendable {
    case done = 0
    case failed = 1
    case usage = 2
    case unreachable = 3
    /// There is no such object, or the caller may not do this.
    case refused = 4
    case invalidConfiguration = 5
}

/// Why a verb could not do what it was asked for.
struct Failure: Error, Hashable {
    let status: ExitStatus
    let message: String
}
