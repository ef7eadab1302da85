internal import ArgumentParser

/// The verb `verypollctl server`.
struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Change a server of an upstream.",
        subcommands: [ServerSetCommand.self]
    )
}
