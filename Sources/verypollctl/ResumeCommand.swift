internal import ArgumentParser
internal import Varlink
internal import VerypollControl

/// The verb of `verypollctl resume`.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Accept again on a listener that was drained, or on all.",
        discussion: "Sessions that the drain has not closed yet live on."
    )

    @Argument(
        help: "The listener; all of them if absent.",
        completion: .custom(Candidates.listeners)
    )
    var listener: String?

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let answer = try daemon.patientCall(
            DaemonInterface.Method.resume.rawValue,
            parameters: ResumeRequest(listener: listener),
            as: NoParameters.self
        )
        try Output(options).print(answer) { _ in [] }
    }
}
