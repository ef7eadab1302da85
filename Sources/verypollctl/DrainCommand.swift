internal import ArgumentParser
internal import Console
internal import Varlink
internal import VerypollControl

/// The verb `verypollctl drain`.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Stop accepting connections on one or all listeners and drain the sessions.",
        discussion: """
            Idle sessions are closed first; all others are closed by the deadline. The verb \
            returns when every worker has begun the drain or, with --wait, when no session is \
            left. The verbs status and listeners show the progress, and resume ends the drain.
            """
    )

    @Argument(
        help: "The listener; by default, all listeners.",
        completion: .custom(Candidates.listeners)
    )
    var listener: String?

    @Option(
        help: ArgumentHelp(
            "The time for the sessions to end, such as 30s or 1min 30s; by default, as configured.",
            valueName: "span"
        )
    )
    var deadline: String?

    @Flag(help: "Wait until no session is left and show the progress on standard error.")
    var wait = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let answer = try daemon.patientCall(
            DaemonInterface.Method.drain.rawValue,
            parameters: DrainRequest(listener: listener, deadline: deadline),
            as: NoParameters.self
        )
        if wait { try follow(&daemon) }
        try Output(options).print(answer) { _ in [] }
    }

    /// Prints the number of remaining sessions whenever it changes, until none is left.
    private func follow(_ daemon: inout DaemonConnection) throws(Failure) {
        var shown: [String: Int] = [:]
        while true {
            let listeners = try daemon.call(
                DaemonInterface.Method.listListeners.rawValue,
                as: ListenerList.self
            ).listeners.filter { listener == nil || $0.name == listener }
            for listener in listeners {
                switch listener.state {
                case .accepting, .paused:
                    throw Failure(
                        status: .failed,
                        message: "the listener \"\(listener.name)\" accepts connections again"
                    )
                case .draining, .drained, .closed:
                    guard shown[listener.name] != listener.active else { continue }
                    shown[listener.name] = listener.active
                    writeError(progress(of: listener, now: currentTimestamp()))
                }
            }
            if !listeners.contains(where: { $0.state == .draining }) { return }
            try daemon.pause(for: .milliseconds(200))
        }
    }

    private func progress(of listener: Status.Listener, now: Int) -> DisplayText {
        let rest = listener.drainDeadlineTimestampUSec.map { deadline in
            ", closed in \(formatSpan(microseconds: deadline - now)) at the latest"
        }
        let left = "\(listener.name): \(count(listener.active, "session")) left"
        return DisplayText(left + (listener.active > 0 ? rest ?? "" : ""))
    }
}
