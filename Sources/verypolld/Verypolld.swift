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
        abstract: "Accepts TCP and Unix-domain connections as a JSON file says.",
        discussion: """
            Without --config it reads /etc/verypolld/verypolld.json and, where there is no such \
            file, runs on its built-in default: an echo service on 127.0.0.1:7007. SIGTERM and \
            SIGINT stop accepting, give live sessions the configured time to end, and exit; a \
            second signal does not wait for them.

            Exit status: 0 stopped by a signal, 64 wrong usage, 71 a socket or another resource \
            cannot be had, 78 the configuration is refused.
            """,
        version: "verypolld \(Release.version)"
    )

    @Option(name: .long, help: ArgumentHelp("The configuration.", valueName: "file"))
    var config: String?

    @Flag(
        name: .long,
        help: """
            Check the configuration, say what is wrong with it, and exit. Root is warned if the \
            service's user can't read the file.
            """
    )
    var checkConfig = false

    @Option(
        name: .long,
        help: ArgumentHelp("The control socket in the configured one's place.", valueName: "path")
    )
    var socket: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The log level in the configured one's place: \(Self.levels).",
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
            throw ValidationError("There is no log level \(text); choose from \(levels).")
        }
        return level
    }

    func validate() throws {
        // An empty path is most often the value of an unset variable.
        if [config, file, socket].contains("") {
            throw ValidationError("The path of a file or socket is not empty.")
        }
        if file != nil, !checkConfig {
            throw ValidationError("A file without an option is for --check-config; use --config.")
        }
        if file != nil, config != nil {
            throw ValidationError("Name the file once, with --config or without.")
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
                if let warning = loaded.path.flatMap(ServiceUser.warning(aboutReading:)) {
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
