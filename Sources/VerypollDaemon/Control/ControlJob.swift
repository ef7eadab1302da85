internal import Varlink
internal import VerypollControl
internal import VerypollServer

/// Work for a call that would take too long on the supervisor's thread.
struct ControlJob: Sendable {
    /// The work to do.
    enum Work: Sendable {
        /// Decode a long message.
        case decode(UndecodedCall)
        /// Check the text of a configuration.
        case check(text: String, by: Check)
        /// Encode a long answer.
        case encode(@Sendable () -> Outcome)
    }

    /// Checks the text of a configuration, and returns what loading it would change.
    typealias Check = @Sendable (_ text: String) throws(VarlinkError) -> ChangeList

    /// The result of the work.
    enum Outcome: Sendable {
        case decoded(Swift.Result<Call, MalformedMessage>)
        /// `nil` if the answer cannot be encoded as JSON.
        case answered(PreparedReply?)
        /// The first event for a client that monitors the daemon.
        case monitoring(SharedReply)
    }

    /// The outcome of the work, and its cost.
    struct Result: Sendable {
        let callID: CallID
        let outcome: Outcome
        /// The processor time that the work took.
        let time: Duration
    }

    /// The ID of the call; `call` is 0 if the message is not decoded yet.
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
        case .encode(let encode):
            return encode()
        case .check(let text, let check):
            do throws(VarlinkError) {
                return .answered(PreparedReply(try check(text)))
            } catch {
                return .answered(PreparedReply(failing: error))
            }
        }
    }
}

/// The waiting jobs, and the processor time that jobs have used.
///
/// Jobs run one after the other. Each client has at most one job, so there are never more jobs than
/// clients. All jobs together may use the same share of a processor as the clients on the
/// supervisor's thread.
struct ControlJobs {
    /// The processor time that jobs can use without a pause after an idle period.
    private static let burst = Duration.milliseconds(500)

    /// The most processor time that jobs can owe, which limits a pause to 20 s.
    private static let deepestDebt = Duration.milliseconds(100)

    private var waiting: [ControlJob] = []
    private var isRunning = false
    private var credit: Credit

    init(now: ContinuousClock.Instant) {
        credit = Credit(burst: Self.burst, deepestDebt: Self.deepestDebt, now: now)
    }

    /// Returns the time at which ``next(now:)`` may return a job: `earliest` if it may do so
    /// immediately; `nil` if no job is waiting or one is running.
    func deadline(earliest: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard !isRunning, !waiting.isEmpty else { return nil }
        return credit.isOver ? credit.resumesAt : earliest
    }

    /// Adds a job of a client that has no other job.
    mutating func add(_ job: ControlJob) { waiting.append(job) }

    /// Removes the job of a client that is gone, unless the job is running.
    mutating func remove(ofClientIn slot: Int) { waiting.removeAll { $0.callID.slot == slot } }

    /// Takes the next job, if it may run now; it counts as running until ``finish(after:now:)``.
    mutating func next(now: ContinuousClock.Instant) -> ControlJob? {
        guard !isRunning, !waiting.isEmpty else { return nil }
        credit.update(now: now)
        guard !credit.isOver else { return nil }
        isRunning = true
        return waiting.removeFirst()
    }

    /// Notes that the running job has ended.
    mutating func finish(after time: Duration, now: ContinuousClock.Instant) {
        isRunning = false
        credit.update(now: now)
        credit.use(time)
    }
}
