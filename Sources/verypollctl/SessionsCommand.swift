internal import ArgumentParser

/// The verb `verypollctl sessions`.
struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List, show, close or watch open sessions.",
        discussion: """
            A session has the same number in the list, in events and in the journal: journalctl \
            VERYPOLL_SESSION=7 shows the messages about session 7. Without a further verb, the \
            sessions are listed.
            """,
        subcommands: [
            SessionsListCommand.self, SessionsShowCommand.self, SessionsKillCommand.self,
            SessionsWatchCommand.self,
        ],
        defaultSubcommand: SessionsListCommand.self
    )
}
