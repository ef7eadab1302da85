/// The number of a signal; see signal(7).
public struct Signal: RawRepresentable, Hashable, Sendable {
    public let rawValue: CInt

    /// Makes a signal of a number from 1 to 64.
    public init(rawValue: CInt) {
        precondition((1...64).contains(rawValue), "no such signal")
        self.rawValue = rawValue
    }

    /// The terminal hung up, and for daemons: reload; `SIGHUP`.
    public static let hangUp = Signal(rawValue: 1)

    /// Ctrl-C; `SIGINT`.
    public static let interrupt = Signal(rawValue: 2)

    /// The first signal that is free for any use; `SIGUSR1`.
    public static let user1 = Signal(rawValue: 10)

    /// The second signal that is free for any use; `SIGUSR2`.
    public static let user2 = Signal(rawValue: 12)

    /// A request to end; `SIGTERM`.
    public static let terminate = Signal(rawValue: 15)

    /// A child process changed its state; `SIGCHLD`.
    public static let child = Signal(rawValue: 17)
}
