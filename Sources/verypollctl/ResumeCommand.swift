internal import ArgumentParser
internal import Varlink
internal import VerypollControl

/// The verb `verypollctl resume`.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "End the drain of one or all listeners, and accept connections again.",
        discussion: "Sessions that the drain has not closed yet continue."
    )

    @Argument(
        help: "The listener; by default, all listeners.",
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
