internal import ArgumentParser

/// The verb of `verypollctl server`.
struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Change what a server of an upstream gets.",
        subcommands: [ServerSetCommand.self]
    )
}
