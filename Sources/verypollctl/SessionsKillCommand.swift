internal import ArgumentParser
internal import Console
internal import Varlink
internal import VerypollControl

/// The verb `verypollctl sessions kill`.
struct SessionsKillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        abstract: "Close sessions at once, and drop their unsent bytes.",
        discussion: """
            The sessions are those with the given numbers, those that meet all given criteria, or \
            all. The verb closes them without asking, and prints how many it has closed. The log \
            of the daemon says who has closed them. The exit status is 4 if no open session has \
            one of the numbers, or if there is no such listener, upstream or server.
            """
    )

    @Argument(
        help: "The numbers of sessions, as in the list.",
        completion: .custom(Candidates.sessions)
    )
    var ids: [Int] = []

    @OptionGroup var criteria: SessionCriteria

    @Flag(help: "Close every session.")
    var all = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        let hasCriteria = criteria.query() != SessionQuery()
        switch (!ids.isEmpty, hasCriteria, all) {
        case (false, false, false):
            throw ValidationError(
                "Nothing to close: add numbers of sessions, a criterion such as --peer, or --all."
            )
        case (true, false, false), (false, true, false), (false, false, true): break
        default:
            throw ValidationError("Use either numbers of sessions, or criteria, or --all.")
        }
    }

    func run() throws {
        var daemon = try options.connect()
        var killed = KillCount(count: 0)
        var failure: Failure?
        if ids.isEmpty {
            killed = try daemon.patientCall(
                DaemonInterface.Method.killSessions.rawValue,
                parameters: KillRequest(criteria.query(), all: all ? true : nil),
                as: KillCount.self
            )
        }
        for id in ids {
            do throws(Failure) {
                _ = try daemon.patientCall(
                    DaemonInterface.Method.killSession.rawValue,
                    parameters: SessionID(id: id),
                    as: NoParameters.self
                )
                killed.count += 1
            } catch {
                guard error.status == .refused, id != ids.last || killed.count > 0 else {
                    throw error
                }
                // The other sessions are still closed.
                failure = error
                Console.printError(error.lines)
            }
        }
        try Output(options).print(killed) { killed in
            ["\(count(killed.count, "session")) killed."]
        }
        if let failure { throw Failure(status: failure.status, message: "") }
    }
}
