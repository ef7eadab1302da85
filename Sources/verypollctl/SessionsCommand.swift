#if Net && OSExt
internal import ArgumentParser

/// The verb of `verypollctl sessions`.
struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List open sessions, or close one.",
        subcommands: [SessionsListCommand.self, SessionsKillCommand.self],
        defaultSubcommand: SessionsListCommand.self
    )
}
#endif
