internal import ArgumentParser
internal import Varlink
internal import VerypollControl

/// The verb `verypollctl sessions kill ID`.
struct SessionsKillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        abstract: "Close a session at once, and drop its unsent bytes.",
        discussion: "The exit status is 4 if no open session has this number."
    )

    @Argument(
        help: "The number of the session, as in the list.",
        completion: .custom(Candidates.sessions)
    )
    var id: Int

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let answer = try daemon.call(
            DaemonInterface.Method.killSession.rawValue,
            parameters: SessionID(id: id),
            as: NoParameters.self
        )
        try Output(options).print(answer) { _ in [] }
    }
}
