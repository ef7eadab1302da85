/// The number of a signal; see signal(7).
public struct Signal: RawRepresentable, Hashable, Sendable {
    public let rawValue: CInt

    /// Creates a signal from a number from 1 to 64.
    ///
    /// Traps for other numbers.
    public init(rawValue: CInt) {
        precondition((1...64).contains(rawValue), "signal number out of range")
        self.rawValue = rawValue
    }

    /// The terminal hung up or, for a daemon, reload the configuration; `SIGHUP`.
    public static let hangUp = Signal(rawValue: 1)

    /// Ctrl-C; `SIGINT`.
    public static let interrupt = Signal(rawValue: 2)

    /// The first user-defined signal; `SIGUSR1`.
    public static let user1 = Signal(rawValue: 10)

    /// The second user-defined signal; `SIGUSR2`.
    public static let user2 = Signal(rawValue: 12)

    /// A request to terminate; `SIGTERM`.
    public static let terminate = Signal(rawValue: 15)

    /// A child process changed its state; `SIGCHLD`.
    public static let child = Signal(rawValue: 17)
}
