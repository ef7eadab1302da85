internal import VerypollServer

/// A message to the supervisor from a thread that is not a worker.
enum SupervisorMessage: Sendable {
    /// Work for a client of the control socket is done.
    case controlJob(ControlJob.Result)
    /// The configuration file was read for a reload.
    case configurationRead(ConfigurationReading.Outcome)
    /// A question for the servers of a service is answered.
    case serviceAnswered(Discovery.Question, Result<ServiceAnswer, NameLookupFailure>)
    /// An abandoned reading has ended.
    case readingEnded
    /// The change of the live configuration is made, or has failed.
    case liveChanged(LiveChange.Outcome)
    /// The sockets that this snapshot no longer has are released.
    case socketsReleased(snapshot: Int)
    /// A report for the status page is written.
    case reportWritten(Report, took: Duration)
}
