internal import ArgumentParser
internal import Varlink
internal import VerypollControl

/// The verb `verypollctl server set UPSTREAM SERVER`.
struct ServerSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Set the mode or the weight of a server, until the daemon stops.",
        discussion: """
            A server in the mode up gets sessions while its checks succeed. In the mode drain, it \
            gets no new sessions, and its open sessions are drained as by the verb drain. In the \
            mode down, it gets no sessions, and the upstream's setting whenDown determines what \
            happens to its open sessions. A reload that changes the server's state in the file \
            replaces the mode. The verb upstreams shows the modes and weights.
            """
    )

    @Argument(help: "The name of the upstream.", completion: .custom(Candidates.upstreams))
    var upstream: String

    @Argument(
        help: "The server's address, as in the configuration.",
        completion: .custom(Candidates.servers)
    )
    var server: String

    @Option(help: ArgumentHelp("The mode of the server.", valueName: "state"))
    var state: ServerMode?

    @Option(
        help: ArgumentHelp("The weight of the server, from 1 to 1000.", valueName: "number")
    )
    var weight: Int?

    @OptionGroup var options: GlobalOptions

    /// The values of `--state`.
    enum ServerMode: String, CaseIterable, ExpressibleByArgument, Sendable {
        case up
        case drain
        case down
    }

    func validate() throws {
        guard state != nil || weight != nil else {
            throw ValidationError("Nothing to set: add --state, --weight or both.")
        }
        if let weight, !ServerSetting.weights.contains(weight) {
            throw ValidationError("--weight requires a number from 1 to 1000.")
        }
    }

    func run() throws {
        var daemon = try options.connect()
        let answer = try daemon.patientCall(
            DaemonInterface.Method.setServer.rawValue,
            parameters: ServerSetting(
                upstream: upstream,
                server: server,
                state: state.flatMap { Status.Server.Mode(rawValue: $0.rawValue) },
                weight: weight
            ),
            as: NoParameters.self
        )
        try Output(options).print(answer) { _ in [] }
    }
}
