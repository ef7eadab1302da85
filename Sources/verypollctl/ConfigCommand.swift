internal import ArgumentParser

/// The verb `verypollctl config`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check, show and compare configurations.",
        subcommands: [
            ConfigCheckCommand.self, ConfigShowCommand.self, ConfigDiffCommand.self,
        ]
    )
}
