internal import ArgumentParser
internal import Console
internal import Varlink
internal import VerypollControl

/// The verb `verypollctl log-level [LEVEL]`.
struct LogLevelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log-level",
        abstract: "Print or set the lowest level that the daemon logs.",
        discussion: """
            The level applies until the daemon stops, or until a reload changes log.level.
            """
    )

    /// The levels that can be set.
    enum Level: String, CaseIterable, ExpressibleByArgument, Sendable {
        case debug
        case info
        case notice
        case warning
        case error
        case critical

        /// The number of the level in syslog(3).
        var number: Int {
            switch self {
            case .debug: 7
            case .info: 6
            case .notice: 5
            case .warning: 4
            case .error: 3
            case .critical: 2
            }
        }
    }

    @Argument(help: "debug, info, notice, warning, error or critical.")
    var level: Level?

    @OptionGroup var options: GlobalOptions

    /// The JSON output.
    private struct Answer: Encodable {
        let logLevel: String
    }

    func run() throws {
        var daemon = try options.connect()
        if let level {
            _ = try daemon.call(
                SystemdInterface.Method.setLogLevel.rawValue,
                parameters: LogLevelSetting(level: level.number),
                as: NoParameters.self
            )
            try Output(options).print(Answer(logLevel: level.rawValue)) { _ in [] }
        } else {
            let status = try daemon.call(
                DaemonInterface.Method.getStatus.rawValue,
                as: Status.self
            )
            let answer = Answer(logLevel: status.logLevel)
            try Output(options).print(answer) { ["\($0.logLevel)"] }
        }
    }
}
