internal import Varlink
internal import VerypollControl
internal import VerypollServer

/// Work for a call that takes too long for the supervisor's thread.
struct ControlJob: Sendable {
    /// The work to do.
    enum Work: Sendable {
        /// Decode a long message.
        case decode(UndecodedCall)
        /// Check the text of a configuration.
        case check(text: String, by: Check)
    }

    /// Checks the text of a configuration, and returns what loading it would change.
    typealias Check = @Sendable (_ text: String) throws(VarlinkError) -> ChangeList

    /// The result of the work.
    enum Outcome: Sendable {
        case decoded(Swift.Result<Call, MalformedMessage>)
        /// `nil` if JSON cannot say the answer.
        case answered(PreparedReply?)
    }

    /// The outcome, and what it has cost.
    struct Result: Sendable {
        let callID: CallID
        let outcome: Outcome
        /// The processor time that it took.
        let time: Duration
    }

    /// The call; for a message that is not decoded yet, its number is 0.
    let callID: CallID
    let work: Work

    /// Does the work.
    func run() -> Result {
        let start = ThreadClock.time()
        let outcome = outcome
        return Result(callID: callID, outcome: outcome, time: ThreadClock.time() - start)
    }

    private var outcome: Outcome {
        switch work {
        case .decode(let message):
            return .decoded(message.decoded(with: ControlServer.parametersType(of:)))
        case .check(let text, let check):
            do throws(VarlinkError) {
                return .answered(PreparedReply(try check(text)))
            } catch {
                return .answered(PreparedReply(failing: error))
            }
        }
    }
}

/// The jobs that wait, and what jobs have cost.
///
/// They are done one after the other. Each client has one at most, so they are no more than the
/// clients. All of them together may take the same share of a processor as the clients of the
/// control socket on the supervisor's thread.
struct ControlJobs {
    /// The time that jobs can use at once after a while without any.
    private static let burst = Duration.milliseconds(500)

    /// The deepest debt, so that no pause is longer than 20 s.
    private static let deepestDebt = Duration.milliseconds(100)

    private var waiting: [ControlJob] = []
    private var isRunning = false
    private var credit: Credit

    init(now: ContinuousClock.Instant) {
        credit = Credit(burst: Self.burst, deepestDebt: Self.deepestDebt, now: now)
    }

    /// When ``next(now:)`` may return a job, `earliest` if at once; `nil` if none waits or one
    /// runs.
    func deadline(earliest: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard !isRunning, !waiting.isEmpty else { return nil }
        return credit.isOver ? credit.resumesAt : earliest
    }

    /// Adds a job of a client that has no other.
    mutating func add(_ job: ControlJob) { waiting.append(job) }

    /// Forgets the job of a client that is gone, unless it runs.
    mutating func remove(ofClientIn slot: Int) { waiting.removeAll { $0.callID.slot == slot } }

    /// Takes the next job, if it may be done now; it runs until ``finish(after:now:)``.
    mutating func next(now: ContinuousClock.Instant) -> ControlJob? {
        guard !isRunning, !waiting.isEmpty else { return nil }
        credit.update(now: now)
        guard !credit.isOver else { return nil }
        isRunning = true
        return waiting.removeFirst()
    }

    /// Notes that the job which runs is done.
    mutating func finish(after time: Duration, now: ContinuousClock.Instant) {
        isRunning = false
        credit.update(now: now)
        credit.use(time)
    }
}
