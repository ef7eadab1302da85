internal import VerypollServer

/// A message of another thread that is not a worker's to the supervisor.
enum SupervisorMessage: Sendable {
    /// Work for a client of the control socket is done.
    case controlJob(ControlJob.Result)
    /// The configuration's file was read, for a reload.
    case configurationRead(ConfigurationReading.Outcome)
    /// A reading that was given up has ended.
    case readingEnded
}
