internal import VerypollControl

/// How far a reload is, and who waits for it.
///
/// A reload reads and checks the file on another thread, waits until no other snapshot is on its
/// way to the workers, and then puts the configuration into effect as a whole, or not at all. Those
/// who ask for a reload while one is under way are answered by the next one, as the file may have
/// changed after it was read.
struct ReloadState {
    /// The most readings that may hang at a time.
    static let hangLimit = 4

    /// Whether the file is to be read anew.
    private(set) var isDue = false
    /// Those who are to be told what comes of that.
    private var waiting: [CallID] = []
    /// Those who are told what comes of the present reading.
    private(set) var callers: [CallID] = []
    /// The present reading, and when it is given up.
    private(set) var reading: (ConfigurationReading, dueAt: ContinuousClock.Instant)?
    /// The configuration that was read, until it is put into effect.
    private var outcome: ConfigurationReading.Outcome?
    /// The readings that were given up and have not ended.
    private(set) var hangCount = 0
    /// Why the last reload was refused, if it was.
    var refusal: String?

    /// Whether the file is being read, or was read and is not in effect yet.
    var isBusy: Bool { reading != nil || outcome != nil }

    /// Whether few enough readings hang for another one.
    var mayRead: Bool { hangCount < Self.hangLimit }

    /// When the present reading is given up.
    var deadline: ContinuousClock.Instant? { reading?.dueAt }

    /// Notes that somebody asks for a reload.
    mutating func request(for callID: CallID? = nil) {
        isDue = true
        if let callID { waiting.append(callID) }
    }

    /// Notes that a reload begins, which answers all who have asked so far.
    mutating func begin() {
        isDue = false
        callers = waiting
        waiting = []
    }

    /// Notes that the file is being read.
    mutating func begin(_ reading: ConfigurationReading, now: ContinuousClock.Instant) {
        self.reading = (reading, now + ConfigurationReading.limit)
    }

    /// Notes what was read.
    mutating func finishReading(_ outcome: ConfigurationReading.Outcome) {
        reading = nil
        self.outcome = outcome
    }

    /// Gives up a reading that takes too long.
    ///
    /// - Returns: Whether it was given up.
    mutating func abandonIfLate(now: ContinuousClock.Instant) -> Bool {
        guard let (reading, due) = reading, due <= now else { return false }
        guard reading.abandon() else {
            // The file was read, and checking it takes the rest of the time.
            self.reading = (reading, now + ConfigurationReading.limit)
            return false
        }
        self.reading = nil
        hangCount += 1
        return true
    }

    /// Notes that a reading which was given up has ended.
    mutating func endHang() { hangCount -= 1 }

    /// Takes what was read, to put it into effect.
    mutating func takeOutcome() -> ConfigurationReading.Outcome? {
        defer { outcome = nil }
        return outcome
    }

    /// Takes those who are told what came of the reload.
    mutating func takeCallers() -> [CallID] {
        defer { callers = [] }
        return callers
    }
}
