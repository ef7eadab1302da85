internal import ArgumentParser
internal import Console
internal import SystemPackage
internal import VerypollConfiguration
internal import VerypollControl

/// The verb `verypollctl config check [FILE]`.
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration file and print its problems with their places.",
        discussion: """
            The running daemon checks the file with its own limits. If the daemon cannot be \
            reached, this command checks the file with the limits of a daemon that is started \
            here. This command reads included files, lists of addresses and the values of \
            variables itself, with the permissions and the environment of its caller. The exit \
            status is 5 if the file is invalid. Root gets a warning if the user of \
            the service can't read the file.
            """
    )

    /// The daemon's name of its configuration if it has no file.
    private static let builtIn = "the built-in default"

    @Argument(help: "The file; by default, the daemon's own.", completion: .file())
    var file: String?

    @OptionGroup var environment: EnvironmentOption
    @OptionGroup var options: GlobalOptions

    /// The result as JSON.
    private struct Verdict: Encodable {
        var isValid: Bool
        var problems: [Problem]

        enum CodingKeys: String, CodingKey {
            case isValid = "valid"
            case problems
        }
    }

    func run() throws {
        let output = Output(options)
        do throws(Failure) {
            let name = try check()
            try output.print(Verdict(isValid: true, problems: [])) { _ in
                ["\(name): the configuration is valid"]
            }
        } catch {
            if error.status == .invalidConfiguration, output.mode != .off {
                let verdict = Verdict(isValid: false, problems: error.problems)
                try output.print(verdict) { _ in [] }
            }
            throw error
        }
    }

    /// Checks the file with the daemon, or without it if it cannot be reached.
    ///
    /// - Returns: The name of the file.
    /// - Throws: The problems of the configuration, or the reason why it could not be checked.
    private func check() throws(Failure) -> String {
        do throws(Failure) {
            return try checkByDaemon()
        } catch {
            // A user without access to the socket can still check a file.
            guard [.unreachable, .refused].contains(error.status) else { throw error }
        }
        return try checkHere()
    }

    private func checkByDaemon() throws(Failure) -> String {
        var daemon = try options.connect()
        guard let file = try ConfigurationFile(file, asking: &daemon) else { return Self.builtIn }
        let (_, paths) = try file.check(asking: &daemon, environment.variables())
        Self.warn(of: paths)
        return file.name
    }

    private func checkHere() throws(Failure) -> String {
        let loaded: LoadedConfiguration
        do {
            // The daemon raises its soft limit to the hard limit.
            let limit = try DescriptorLimit.hard()
            loaded = try LoadedConfiguration(
                path: file,
                descriptorLimit: limit,
                surroundings: Surroundings(
                    variables: environment.variables(),
                    remedy: EnvironmentOption.remedy
                )
            )
        } catch let error as ConfigurationError {
            throw Failure(error)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(
                status: .failed,
                message: "cannot read the limit of file descriptors: \(error)"
            )
        }
        Self.warn(of: loaded.paths)
        return loaded.path ?? Self.builtIn
    }

    /// Warns root about the first file that the service's user can't read.
    private static func warn(of paths: [String]) {
        if let warning = paths.lazy.compactMap(ServiceUser.warning(aboutReading:)).first {
            writeError("warning: \(warning)")
        }
    }
}

extension Failure {
    /// Makes the failure of an invalid configuration.
    init(_ error: ConfigurationError) {
        self.init(
            status: .invalidConfiguration,
            message: "the configuration is invalid",
            problems: error.reported,
            omittedProblemCount: error.omittedCount
        )
    }
}
