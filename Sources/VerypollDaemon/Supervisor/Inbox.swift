internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// Everything that reaches the supervisor from outside its thread, but for the control socket.
struct Inbox: ~Copyable {
    /// The tokens of all that the supervisor's poll watches.
    enum Tokens {
        static let signals = Token(0)
        static let mailbox = Token(1)
        static let control = Token(2)
        static let sessionEvents = Token(999)
        /// Of upstreams, this one and all above.
        static let firstOfUpstreams = 1000
    }

    let signals: SignalSource
    /// Messages of threads that are not workers'.
    let mailbox: Mailbox<SupervisorMessage>
    /// What the workers report, by the token of the mailbox.
    let reports: Mailbox<WorkerReport>

    /// Begins to watch for signals and messages.
    ///
    /// - Throws: See epoll_ctl(2) and eventfd(2).
    init(_ signals: consuming SignalSource, registry: borrowing Registry) throws(Errno) {
        try registry.register(signals, token: Tokens.signals, interest: .readable)
        mailbox = try Mailbox(registry: registry, token: Tokens.mailbox)
        reports = Mailbox(besides: mailbox)
        self.signals = signals
    }
}
