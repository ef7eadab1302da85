internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb of `verypollctl config check [FILE]`.
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration, and print every problem with its place.",
        discussion: """
            The running daemon checks it, under its own limits; where none can be asked, \
            verypolld --check-config does, which is looked for beside this command and in $PATH. \
            The exit status is 5 if the file is invalid. Root is warned if the service's \
            user can't read the file.
            """
    )

    /// The name that the daemon gives the configuration which it has without a file.
    private static let builtIn = "the built-in default"

    @Argument(help: "The file; the daemon's own if absent.", completion: .file())
    var file: String?

    @OptionGroup var options: GlobalOptions

    /// What is found out, as JSON.
    private struct Verdict: Encodable {
        var isValid: Bool
        /// `nil` if only people were told.
        var problems: [Problem]?

        enum CodingKeys: String, CodingKey {
            case isValid = "valid"
            case problems
        }
    }

    func run() throws {
        let output = Output(options)
        do throws(Failure) {
            let name = try check(printing: output.mode == .off)
            try output.print(Verdict(isValid: true, problems: [])) { _ in
                name.map { ["\($0): the configuration is valid"] } ?? []
            }
        } catch {
            if error.status == .invalidConfiguration, output.mode != .off {
                let problems = error.problems.isEmpty ? nil : error.problems
                try output.print(Verdict(isValid: false, problems: problems)) { _ in [] }
            }
            throw error
        }
    }

    /// Checks the file.
    ///
    /// - Parameter isPrinting: Whether verypolld may say that the file is valid.
    /// - Returns: The name of the file, or `nil` if verypolld has checked it.
    /// - Throws: What is wrong with it, or why it could not be checked.
    private func check(printing isPrinting: Bool) throws(Failure) -> String? {
        do throws(Failure) {
            var daemon = try options.connect()
            guard let file = try ConfigurationFile(file, asking: &daemon) else {
                return Self.builtIn
            }
            _ = try file.check(asking: &daemon)
            if let warning = file.path.flatMap(ServiceUser.warning(aboutReading:)) {
                writeError("warning: \(warning)")
            }
            return file.name
        } catch {
            // Who may not open the socket can still check a file.
            guard [.unreachable, .refused].contains(error.status) else { throw error }
            switch DaemonProgram.check(file, printing: isPrinting) {
            case .valid: return nil
            case .invalid:
                throw Failure(status: .invalidConfiguration, message: "")  // It has said why.
            case .failed: throw Failure(status: .failed, message: "verypolld can't check it")
            case .missing: throw error
            }
        }
    }
}
