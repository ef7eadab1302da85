internal import VerypollControl

/// The results of the reloads since the start.
struct ReloadHistory {
    /// The number of reloads that were applied.
    private(set) var appliedCount = 0
    /// The number of reloads that were refused.
    private(set) var refusedCount = 0
    /// The result of the last reload; `nil` if there was none.
    private(set) var last: Status.LastReload?
    /// The time at which the configuration in effect was applied, at the start or by a reload, in
    /// microseconds since 1970.
    private(set) var appliedAt: Int

    /// Makes the history of a daemon that has just started.
    init(startedAt: Int) {
        appliedAt = startedAt
    }

    /// Whether the file in effect is the one that was read last.
    var isLastApplied: Bool { last?.applied ?? true }

    /// The time of the last result, or of the start.
    var lastAt: Int { last?.timestampUSec ?? appliedAt }

    /// Notes that a reload was applied.
    mutating func noteApplied(changes: Int, at timestamp: Int) {
        appliedCount += 1
        appliedAt = timestamp
        last = Status.LastReload(timestampUSec: timestamp, changes: changes)
    }

    /// Notes that a reload was refused.
    mutating func noteRefused(problems: Int, at timestamp: Int) {
        refusedCount += 1
        last = Status.LastReload(timestampUSec: timestamp, problems: problems)
    }
}
