internal import ArgumentParser
internal import Console
internal import Glibc
internal import Logging
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollDaemon
internal import VerypollServer

/// The command line of the daemon.
@main
struct Verypolld: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verypolld",
        abstract: "Accepts TCP and Unix-domain connections, and serves or proxies them.",
        discussion: """
            Without --config, the daemon reads /etc/verypolld/verypolld.json. If there is no such \
            file, it runs on its built-in default: an echo service on 127.0.0.1:7007. On SIGTERM \
            or SIGINT, it stops accepting, gives live sessions the configured time to end, and \
            exits. A second signal closes the sessions at once.

            Exit status: 0 stopped by a signal or idle, 64 the command line is not valid, 71 a \
            socket or another resource is not available, 78 the configuration is not valid.
            """,
        version: "verypolld \(Release.version)"
    )

    @Option(name: .long, help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String?

    @Flag(
        name: .long,
        help: """
            Check the configuration, report its problems, and exit. As root, also warn if the \
            service's user can't read the file.
            """
    )
    var checkConfig = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The control socket; overrides the configured one.",
            valueName: "path"
        )
    )
    var socket: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The log level; overrides the configured one: \(Self.levels).",
            valueName: "level"
        ),
        transform: Self.parseLevel
    )
    var logLevel: Logger.Level?

    @Argument(help: ArgumentHelp("With --check-config: the file to check.", valueName: "file"))
    var file: String?

    private static var levels: String {
        Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
    }

    private static func parseLevel(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            throw ValidationError("\(text) is not a valid log level; expected one of \(levels).")
        }
        return level
    }

    func validate() throws {
        // An empty path is most often the value of an unset variable.
        if [config, file, socket].contains("") {
            throw ValidationError("The path of a file or socket must not be empty.")
        }
        if file != nil, !checkConfig {
            throw ValidationError("A bare FILE is only for --check-config; use --config FILE.")
        }
        if file != nil, config != nil {
            throw ValidationError("The file is named twice; name it with or without --config.")
        }
    }

    static func main() {
        do {
            var command = try parseAsRoot(try ProgramArguments.afterName())
            try command.run()
        } catch let error as ProgramArgumentError {
            Console.printError(["verypolld: \(error)"])
            Glibc.exit(EX_USAGE)
        } catch {
            end(with: error)
        }
    }

    /// Prints the parser's message, and exits.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        let lines = message.isEmpty ? [] : DisplayText.lines(of: message)
        guard code.isSuccess else {
            Console.printError(lines)
            Glibc.exit(code.rawValue)
        }
        do {
            // Success means that the help or the version was requested.
            try Console.print(lines)
            Glibc.exit(code.rawValue)
        } catch {
            Console.printError(["verypolld: cannot write: \(error)"])
            Glibc.exit(EX_OSERR)
        }
    }

    func run() throws {
        do {
            let limit = try DescriptorLimit.raise()
            let loaded = try LoadedConfiguration(path: file ?? config, descriptorLimit: limit)
            if checkConfig {
                let name = loaded.path ?? "the built-in default"
                try Console.print(["\(name): the configuration is valid"])
                let warnings = loaded.paths.lazy.compactMap(ServiceUser.warning(aboutReading:))
                if let warning = warnings.first {
                    Console.printError(["warning: \(warning)"])
                }
                return
            }
            let options = LaunchOptions(socketPath: socket, logLevel: logLevel)
            try Daemon.run(loaded, options: options)
        } catch let error as ConfigurationError {
            Daemon.report("\(error)", as: .configurationRefused)
            throw ExitCode(EX_CONFIG)
        } catch {
            Daemon.report("verypolld: \(error)".escapedForPeople, as: .failed)
            throw ExitCode(EX_OSERR)
        }
    }
}
