internal import ArgumentParser
internal import Varlink
internal import VerypollControl

/// The verb of `verypollctl server set UPSTREAM SERVER`.
struct ServerSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Set the state or the weight of a server, until the daemon ends.",
        discussion: """
            up: it gets sessions while it is well. drain: it gets no new sessions, and those that \
            it has are ended as drain does. down: it gets none, and those that it has get what \
            the upstream's whenDown says. upstreams shows what is set.
            """
    )

    @Argument(help: "The name of the upstream.", completion: .custom(Candidates.upstreams))
    var upstream: String

    @Argument(
        help: "The server's address, as in the configuration.",
        completion: .custom(Candidates.servers)
    )
    var server: String

    @Option(help: ArgumentHelp("What the server gets: up, drain or down.", valueName: "state"))
    var state: ServerMode?

    @Option(
        help: ArgumentHelp("Its share of the sessions, from 1 to 1000.", valueName: "number")
    )
    var weight: Int?

    @OptionGroup var options: GlobalOptions

    /// The words for `--state`.
    enum ServerMode: String, CaseIterable, ExpressibleByArgument, Sendable {
        case up
        case drain
        case down
    }

    func validate() throws {
        guard state != nil || weight != nil else {
            throw ValidationError("Say what to set: --state, --weight or both.")
        }
        if let weight, !ServerSetting.weights.contains(weight) {
            throw ValidationError("--weight takes a number from 1 to 1000.")
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
