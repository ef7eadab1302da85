internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// The signals, and the messages from other threads, that the supervisor receives.
struct Inbox: ~Copyable {
    /// The tokens of the sources that the supervisor's poll watches.
    enum Tokens {
        static let signals = Token(0)
        static let mailbox = Token(1)
        /// The first token of the control socket's server, which uses one for each client and one
        /// more.
        static let firstOfControl = 2
        /// The first token of the metrics socket's server, which uses as many.
        static let firstOfMetrics = 100
        static let sessionEvents = Token(999)
        /// The first token of the upstreams, which use all tokens from here on.
        static let firstOfUpstreams = 1000
    }

    let signals: SignalSource
    /// The messages of threads that are not workers.
    let mailbox: Mailbox<SupervisorMessage>
    /// The reports of the workers, which wake the supervisor with the token of ``mailbox``.
    let reports: Mailbox<WorkerReport>

    /// Starts watching for signals and messages.
    ///
    /// - Throws: See epoll_ctl(2) and eventfd(2).
    init(_ signals: consuming SignalSource, registry: borrowing Registry) throws(Errno) {
        try registry.register(signals, token: Tokens.signals, interest: .readable)
        mailbox = try Mailbox(registry: registry, token: Tokens.mailbox)
        reports = Mailbox(besides: mailbox)
        self.signals = signals
    }
}
