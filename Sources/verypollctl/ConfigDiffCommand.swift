internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl config diff [FILE]`.
struct ConfigDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Print the changes that loading a file would make.",
        discussion: """
            Each line is a value that would be added (+), removed (-) or changed (~). Without a \
            file, the verb shows what reload would change. The exit status is 0 with and without \
            changes, and 5 if the file is invalid.
            """
    )

    @Argument(help: "The file; by default, the daemon's own.", completion: .file())
    var file: String?

    @OptionGroup var environment: EnvironmentOption
    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let output = Output(options)
        do throws(Failure) {
            guard let file = try ConfigurationFile(file, asking: &daemon) else {
                throw Failure(
                    status: .failed,
                    message: "verypolld runs with its built-in default; name a file"
                )
            }
            let list = try file.check(asking: &daemon, environment.variables()).changes
            try output.print(list) { changeLines($0, on: output.terminal) }
            if list.changes.isEmpty, output.hasHints {
                writeError("\(file.name) changes nothing.")
            }
        } catch {
            try output.printProblems(of: error)
            throw error
        }
    }
}
