internal import VerypollControl

/// The progress of a reload, and the calls that wait for it.
///
/// A reload reads and checks the file on another thread, waits until all workers have adopted
/// earlier snapshots, and then puts the configuration into effect as a whole, or not at all. A call
/// that requests a reload while one is in progress is answered by the next one, because the file
/// may have changed after it was read.
struct ReloadState {
    /// The most readings that may hang at the same time.
    static let hangLimit = 4

    /// Whether the file must be read again.
    private(set) var isDue = false
    /// The calls to answer after the next reload.
    private var waiting: [CallID] = []
    /// The calls to answer after the current reload.
    private(set) var callers: [CallID] = []
    /// The process that requested the next reload first; `nil` for a signal.
    private var nextRequester: Caller?
    /// The process that requested the current or last reload; `nil` for a signal.
    private(set) var requester: Caller?
    /// The current reading, and the time at which it is abandoned.
    private(set) var reading: (ConfigurationReading, dueAt: ContinuousClock.Instant)?
    /// The outcome of a reading, until it is applied.
    private var outcome: ConfigurationReading.Outcome?
    /// The number of abandoned readings that have not ended.
    private(set) var hangCount = 0
    /// The reason why the last reload was refused; `nil` if it was not.
    var refusal: String?

    /// Whether the file is being read, or was read and is not applied yet.
    var isBusy: Bool { reading != nil || outcome != nil }

    /// Whether another reading may start, because fewer than ``hangLimit`` readings hang.
    var mayRead: Bool { hangCount < Self.hangLimit }

    /// The time at which the current reading is abandoned.
    var deadline: ContinuousClock.Instant? { reading?.dueAt }

    /// Notes a request for a reload.
    ///
    /// - Parameters:
    ///   - callID: The call to answer after the reload; `nil` for a signal.
    ///   - caller: The process that made the call.
    mutating func request(for callID: CallID? = nil, by caller: Caller? = nil) {
        if !isDue { nextRequester = caller }
        isDue = true
        if let callID { waiting.append(callID) }
    }

    /// Notes that a reload begins, which answers all calls that have requested one so far.
    mutating func begin() {
        isDue = false
        requester = nextRequester
        callers = waiting
        waiting = []
    }

    /// Notes that the file is being read.
    mutating func begin(_ reading: ConfigurationReading, now: ContinuousClock.Instant) {
        self.reading = (reading, now + ConfigurationReading.limit)
    }

    /// Notes the outcome of the reading.
    mutating func finishReading(_ outcome: ConfigurationReading.Outcome) {
        reading = nil
        self.outcome = outcome
    }

    /// Abandons a reading that takes too long.
    ///
    /// - Returns: Whether the reading was abandoned.
    mutating func abandonIfLate(now: ContinuousClock.Instant) -> Bool {
        guard let (reading, due) = reading, due <= now else { return false }
        guard reading.abandon() else {
            // The file was read, so the file system does not hang. Wait for the check to end.
            self.reading = (reading, now + ConfigurationReading.limit)
            return false
        }
        self.reading = nil
        hangCount += 1
        return true
    }

    /// Notes that an abandoned reading has ended.
    mutating func endHang() { hangCount -= 1 }

    /// Takes the outcome of the reading, to apply it.
    mutating func takeOutcome() -> ConfigurationReading.Outcome? {
        defer { outcome = nil }
        return outcome
    }

    /// Takes the calls to answer after the reload.
    mutating func takeCallers() -> [CallID] {
        defer { callers = [] }
        return callers
    }
}
